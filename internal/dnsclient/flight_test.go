package dnsclient_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// slow answers after a second.
func slow(q *dnstest.Query) {
	time.Sleep(time.Second)
	good(q)
}

// One question is asked for all who ask it at once.
func TestQuestionsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := newTally()
		cfg := memory(t, func(q *dnstest.Query) {
			asked.add(q)
			slow(q)
		})
		cfg.CacheSize = 0
		c := client(t, cfg)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { found(t, c, "ip6", "host.example", "2001:db8::1") })
			all.Go(func() { found(t, c, "ip6", "HOST.example.", "2001:db8::1") })
		}
		all.Wait()
		if got := asked.take(); len(got) != 1 {
			t.Errorf("100 look-ups ask %q", got)
		}
		found(t, c, "ip6", "host.example", "2001:db8::1")
		if got := asked.take(); len(got) != 1 {
			t.Errorf("the next look-up asks %q", got)
		}
	})
}

// Whoever began a question may go: it goes on for the others.
func TestAQuestionSurvivesWhoAskedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := newTally()
		c := client(t, memory(t, func(q *dnstest.Query) {
			asked.add(q)
			slow(q)
		}))
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error, 1)
		go func() {
			_, err := c.LookupNetIP(ctx, "ip6", "host.example")
			first <- err
		}()
		synctest.Wait()
		second := make(chan bool)
		go func() {
			found(t, c, "ip6", "host.example", "2001:db8::1")
			close(second)
		}()
		synctest.Wait()
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("the first gets %v", err)
		}
		<-second
		if got := asked.take(); len(got) != 1 {
			t.Errorf("asked %q", got)
		}
	})
}

// When the last one goes, the question is called off, and the next one who comes asks anew.
func TestAQuestionEndsWhenNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := newTally()
		c := client(t, memory(t, func(q *dnstest.Query) {
			asked.add(q)
			slow(q)
		}))
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 3)
		for range cap(results) {
			go func() {
				_, err := c.LookupNetIP(ctx, "ip6", "host.example")
				results <- err
			}()
		}
		synctest.Wait()
		cancel()
		for range cap(results) {
			if err := <-results; !errors.Is(err, context.Canceled) {
				t.Errorf("one gets %v", err)
			}
		}
		found(t, c, "ip6", "host.example", "2001:db8::1")
		if got := asked.take(); len(got) != 2 {
			t.Errorf("asked %q", got)
		}
		time.Sleep(time.Second)
	})
}

// What is called off is not kept as a failure.
func TestACancelledLookUpIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var late atomic.Bool
		late.Store(true)
		c := client(t, memory(t, func(q *dnstest.Query) {
			if late.Load() {
				time.Sleep(time.Second)
				q.Refuse(dns.RcodeServerFailure)
				return
			}
			good(q)
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // at the very time of the answer
		defer cancel()
		_, err := c.LookupNetIP(ctx, "ip6", "host.example")
		if err == nil {
			t.Error("no error")
		}
		late.Store(false)
		time.Sleep(time.Second)
		found(t, c, "ip6", "host.example", "2001:db8::1")
	})
}

// Many names, types and goroutines at once, some of which give up.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := memory(t, slow, silent)
		cfg.CacheSize = 5
		c := client(t, cfg)
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%5)*400*time.Millisecond)
				defer cancel()
				host := string(rune('a'+i%20)) + ".example"
				addrs, err := c.LookupNetIP(ctx, "ip6", host)
				if (err == nil) != (len(addrs) == 1) || err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v, %v", host, addrs, err)
				}
			})
		}
		all.Wait()
		time.Sleep(time.Minute)
	})
}
