package dnsclient_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// A connection is used for the next question, until the server closes it or its time is over.
func TestConnectionsAreKept(t *testing.T) {
	for _, transport := range []dnsclient.Transport{dnsclient.TCP, dnsclient.TLS, dnsclient.HTTPS} {
		t.Run(string(transport), func(t *testing.T) {
			s := dnstest.Start(t, good)
			cfg := real(s, transport)
			var dials atomic.Int32
			dial := cfg.Servers[0].Stream
			cfg.Servers[0].Stream = func(ctx context.Context, u dnsclient.Upgrade) (net.Conn, error) {
				dials.Add(1)
				return dial(ctx, u)
			}
			cfg.CacheSize = 0
			once := client(t, cfg)
			for range 3 {
				found(t, once, "ip6", "host.example", "2001:db8::1")
			}
			if n := dials.Swap(0); n != 3 {
				t.Errorf("%d connections for three questions, where none is kept", n)
			}
			cfg.Idle = time.Second
			kept := client(t, cfg)
			for range 3 {
				found(t, kept, "ip6", "host.example", "2001:db8::1")
			}
			// A slow machine may use up the second.
			if n := dials.Load(); n > 3 {
				t.Errorf("%d connections for three questions", n)
			}
		})
	}
}

// In virtual time: a connection is kept for the time that is set, and no longer.
func TestKeptConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		cfg := memory(t, good)
		cfg.Transport, cfg.Idle, cfg.CacheSize = dnsclient.TCP, 10*time.Second, 0
		dial := cfg.Servers[0].Stream
		cfg.Servers[0].Stream = func(ctx context.Context, u dnsclient.Upgrade) (net.Conn, error) {
			dials.Add(1)
			return dial(ctx, u)
		}
		c := client(t, cfg)
		for _, step := range []struct {
			wait  time.Duration
			dials int32
		}{{0, 1}, {9 * time.Second, 1}, {9 * time.Second, 1}, {11 * time.Second, 2}, {0, 2}} {
			time.Sleep(step.wait)
			found(t, c, "ip6", "host.example", "2001:db8::1")
			if n := dials.Load(); n != step.dials {
				t.Errorf("%v later, %d connections have been made, want %d", step.wait, n, step.dials)
			}
		}
		time.Sleep(10 * time.Second) // else the bubble finds the server at the other end waiting
		synctest.Wait()
	})
}

// A connection that died while it waited costs no try.
func TestDeadConnectionsAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var questions atomic.Int32
		cfg := memory(t, func(q *dnstest.Query) {
			good(q)
			if questions.Add(1)%2 == 1 {
				q.Close()
			}
		})
		cfg.Transport, cfg.Idle, cfg.CacheSize, cfg.Attempts = dnsclient.TCP, time.Minute, 0, 1
		c := client(t, cfg)
		for range 6 {
			found(t, c, "ip6", "host.example", "2001:db8::1")
			synctest.Wait()
		}
		time.Sleep(time.Minute)
	})
}

// Several questions at once have a connection each, of which a few are kept.
func TestQuestionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := memory(t, func(q *dnstest.Query) {
			time.Sleep(time.Second)
			good(q)
		})
		cfg.Transport, cfg.Idle = dnsclient.TCP, time.Minute
		c := client(t, cfg)
		start := time.Now()
		done := make(chan bool)
		for i := range 20 {
			go func() {
				found(t, c, "ip6", "host-"+string(rune('a'+i))+".example", "2001:db8::1")
				done <- true
			}()
		}
		for range 20 {
			<-done
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("20 questions that take 1s each take %v", d)
		}
		time.Sleep(time.Minute)
	})
}
