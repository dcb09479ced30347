package dnsclient_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// A logged connection tells what is written to it, and when.
type logged struct {
	net.Conn
	log func(qtype string)
}

func (c logged) Write(b []byte) (int, error) {
	m := new(dns.Msg)
	if err := m.Unpack(b); err != nil {
		return 0, err
	}
	c.log(dns.TypeToString[m.Question[0].Qtype])
	return c.Conn.Write(b)
}

// order is a client that tells the questions in the order in which they go out. The nth socket takes delays[n] to open.
func order(t *testing.T, delays ...time.Duration) (*dnsclient.Client, func() []string) {
	var mu sync.Mutex
	var sent []string
	n := 0
	cfg := memory(t, func(q *dnstest.Query) { q.Nothing(dns.RcodeSuccess, "0") })
	packet := cfg.Servers[0].Packet
	cfg.Servers[0].Packet = func(ctx context.Context) (net.Conn, error) {
		mu.Lock()
		if n < len(delays) {
			defer time.Sleep(delays[n])
		}
		n++
		mu.Unlock()
		conn, err := packet(ctx)
		return logged{conn, func(qtype string) {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, qtype)
		}}, err
	}
	return client(t, cfg), func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := sent
		sent = nil
		return out
	}
}

// HE-01: AAAA goes out before A, and A right behind it.
func TestAAAAGoesOutFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, sent := order(t)
		for range 200 {
			_, _ = c.LookupNetIP(t.Context(), "ip", "host.example")
			if got := sent(); !slices.Equal(got, []string{"AAAA", "A"}) {
				t.Fatalf("the questions go out as %v", got)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c, sent := order(t, 4*time.Millisecond)
		start := time.Now()
		_, _ = c.LookupNetIP(t.Context(), "ip", "host.example")
		if got := sent(); !slices.Equal(got, []string{"AAAA", "A"}) || time.Since(start) != 4*time.Millisecond {
			t.Errorf("with a socket that takes 4ms, the questions go out as %v in %v", got, time.Since(start))
		}
	})
}

// A does not wait for an AAAA question that can't go out.
func TestADoesNotWaitLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := order(t, time.Second)
		six := make(chan time.Duration)
		start := time.Now()
		go func() {
			_, _ = c.LookupNetIP(t.Context(), "ip6", "host.example")
			six <- time.Since(start)
		}()
		synctest.Wait()
		_, _ = c.LookupNetIP(t.Context(), "ip4", "host.example")
		if d := time.Since(start); d != 5*time.Millisecond {
			t.Errorf("A takes %v", d)
		}
		if d := <-six; d != time.Second {
			t.Errorf("AAAA takes %v", d)
		}
	})
}
