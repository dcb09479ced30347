package dnsclient_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// A schedule records when each server is asked.
type schedule struct {
	start time.Time
	ch    chan moment
}

type moment struct {
	server string
	at     time.Duration
}

func newSchedule() *schedule { return &schedule{time.Now(), make(chan moment, 100)} }

func (s *schedule) note(server string) { s.ch <- moment{server, time.Since(s.start)} }

func (s *schedule) take() (list []moment) {
	for {
		select {
		case m := <-s.ch:
			list = append(list, m)
		default:
			return list
		}
	}
}

func silent(*dnstest.Query) {}

func good(q *dnstest.Query) { q.Answer("@ 60 AAAA 2001:db8::1") }

func refuse(rcode int) dnstest.Handler { return func(q *dnstest.Query) { q.Refuse(rcode) } }

// When the servers are asked, by what they do.
func TestTries(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name     string
		servers  []dnstest.Handler
		attempts int
		want     []moment
	}{
		{"the first answers", []dnstest.Handler{good, good}, 3, []moment{{"a", 0}}},
		{"time doubles with each round", []dnstest.Handler{silent}, 5,
			[]moment{{"a", 0}, {"a", 2000 * ms}, {"a", 6000 * ms}, {"a", 14000 * ms}, {"a", 22000 * ms}}},
		{"servers take turns", []dnstest.Handler{silent, silent, silent}, 2,
			[]moment{{"a", 0}, {"b", 2000 * ms}, {"c", 4000 * ms}, {"a", 6000 * ms}, {"b", 10000 * ms}, {"c", 14000 * ms}}},
		{"a silent one goes before a good one", []dnstest.Handler{silent, good}, 3, []moment{{"a", 0}, {"b", 2000 * ms}}},
		{"one that fails goes before a good one", []dnstest.Handler{refuse(dns.RcodeServerFailure), good}, 3, []moment{{"a", 0}, {"b", 0}}},
		{"one that refuses goes before a good one", []dnstest.Handler{refuse(dns.RcodeRefused), good}, 3, []moment{{"a", 0}, {"b", 0}}},
		{"who has said his word is not asked again", []dnstest.Handler{refuse(dns.RcodeServerFailure), silent}, 3,
			[]moment{{"a", 0}, {"b", 0}, {"b", 2000 * ms}, {"b", 6000 * ms}}},
		{"all refuse", []dnstest.Handler{refuse(dns.RcodeServerFailure), refuse(dns.RcodeRefused)}, 3, []moment{{"a", 0}, {"b", 0}}},
		{"that there is no such name is an answer", []dnstest.Handler{refuse(dns.RcodeNameError), good}, 3, []moment{{"a", 0}}},
		{"aliases in a circle are an answer", []dnstest.Handler{func(q *dnstest.Query) { q.Answer("@ 60 CNAME @") }, good}, 3, []moment{{"a", 0}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				when := newSchedule()
				cfg := memory(t, noting(when, test.servers)...)
				cfg.Attempts = test.attempts
				_, _ = client(t, cfg).LookupNetIP(t.Context(), "ip6", "host.example")
				if got := when.take(); !slices.Equal(got, test.want) {
					t.Errorf("asked %v, want %v", got, test.want)
				}
			})
		})
	}
}

func noting(s *schedule, handlers []dnstest.Handler) (out []dnstest.Handler) {
	for i, h := range handlers {
		out = append(out, func(q *dnstest.Query) {
			s.note(string(rune('a' + i)))
			h(q)
		})
	}
	return out
}

// Failures that take no time, such as a port where nobody listens, are repeated after a pause.
func TestQuickFailuresAreRepeatedAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		when := newSchedule()
		refused := func(context.Context) (net.Conn, error) {
			when.note("a")
			return nil, &net.OpError{Op: "dial", Net: "udp", Err: syscall.ECONNREFUSED}
		}
		cfg := dnsclient.Config{Transport: dnsclient.UDP, Attempts: 4, Servers: []dnsclient.Server{{Name: "a", Packet: refused}}}
		err := fails(t, client(t, cfg), "ip6", "host.example")
		if !errors.Is(err, syscall.ECONNREFUSED) || err.IsTimeout || !strings.Contains(err.Err, "(4 tries)") {
			t.Errorf("the error is %v", err)
		}
		want := []moment{{"a", 0}, {"a", 100 * time.Millisecond}, {"a", 300 * time.Millisecond}, {"a", 700 * time.Millisecond}}
		if got := when.take(); !slices.Equal(got, want) {
			t.Errorf("asked %v, want %v", got, want)
		}
	})
}

// The server that answered last goes first the next time.
func TestTheServerThatAnswersIsAskedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		when := newSchedule()
		var dead atomic.Bool
		c := client(t, memory(t, noting(when, []dnstest.Handler{silent, func(q *dnstest.Query) {
			if !dead.Load() {
				good(q)
			}
		}})...))
		found(t, c, "ip6", "one.example", "2001:db8::1")
		when.take()
		found(t, c, "ip6", "two.example", "2001:db8::1")
		if got := when.take(); len(got) != 1 || got[0].server != "b" {
			t.Errorf("asked %v, want b alone", got)
		}
		dead.Store(true)
		_, _ = c.LookupNetIP(t.Context(), "ip6", "three.example")
		if got := when.take(); len(got) != 6 || got[0].server != "b" || got[1].server != "a" {
			t.Errorf("asked %v, want b and a in turns", got)
		}
	})
}

// The error tells what each server did.
func TestErrorTellsOfEachServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, memory(t, silent, refuse(dns.RcodeServerFailure), refuse(dns.RcodeRefused)))
		err := fails(t, c, "ip6", "host.example")
		const want = "b.example:53: the server answers SERVFAIL; c.example:53: the server answers REFUSED; a.example:53: no answer in 8s (3 tries)"
		if err.Err != want || err.Server != "" || !err.IsTemporary || err.IsTimeout {
			t.Errorf("the error is %q of %q, %+v; want %q", err.Err, err.Server, err, want)
		}
	})
}

// An answer that comes after its try is over has a socket that is closed; the next try gets its own.
func TestLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		c := client(t, memory(t, func(q *dnstest.Query) {
			if n.Add(1) == 1 {
				time.Sleep(2500 * time.Millisecond) // longer than a try
			}
			good(q)
		}))
		start := time.Now()
		found(t, c, "ip6", "host.example", "2001:db8::1")
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("the answer takes %v, want 2s, the time of the first try", d)
		}
		time.Sleep(time.Second) // until the late answer is on its way, to nobody
	})
}

// A late AAAA answer delays nobody who asks for A.
func TestLateAAAADelaysNoA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, memory(t, func(q *dnstest.Query) {
			if q.Type() == "AAAA" {
				time.Sleep(time.Second)
				good(q)
				return
			}
			q.Answer("@ 60 A 192.0.2.1")
		}))
		start := time.Now()
		done := make(chan time.Duration)
		go func() {
			found(t, c, "ip6", "host.example", "2001:db8::1")
			done <- time.Since(start)
		}()
		found(t, c, "ip4", "host.example", "192.0.2.1")
		if d := time.Since(start); d != 0 {
			t.Errorf("A takes %v", d)
		}
		if d := <-done; d != time.Second {
			t.Errorf("AAAA takes %v", d)
		}
	})
}

// The caller's context ends a look-up at any point, at once, with its own error.
func TestContextEndsALookUp(t *testing.T) {
	for _, servers := range []int{1, 3} {
		for at := time.Duration(0); at < 20*time.Second; at += 777 * time.Millisecond {
			synctest.Test(t, func(t *testing.T) {
				handlers := slices.Repeat([]dnstest.Handler{silent}, servers)
				c := client(t, memory(t, handlers...))
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), at)
				defer cancel()
				_, err := c.LookupNetIP(ctx, "ip6", "host.example")
				took := time.Since(start)
				if !errors.Is(err, context.DeadlineExceeded) && took != 14*time.Second {
					t.Errorf("at %v: %v", at, err)
				}
				var dns *net.DNSError
				if !errors.As(err, &dns) || !dns.IsTimeout || took > at {
					t.Errorf("at %v: %v after %v", at, err, took)
				}
			})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		c := client(t, memory(t, silent))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, err := c.LookupNetIP(ctx, "ip", "host.example")
		if d := time.Since(start); d != time.Second || !errors.Is(err, context.Canceled) {
			t.Errorf("%v after %v, want context.Canceled after 1s", err, d)
		}
		if _, err := c.LookupNetIP(ctx, "ip", "localhost"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
	})
}

// A time for an answer that is longer than it would ever grow stays what it is.
func TestLongTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := memory(t, silent)
		cfg.Timeout = 20 * time.Second
		start := time.Now()
		_ = fails(t, client(t, cfg), "ip6", "host.example")
		if d := time.Since(start); d != time.Minute {
			t.Errorf("three tries of 20s take %v", d)
		}
	})
}
