package dnsclient_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// How long an answer is kept.
func TestAnswersAreKeptForTheirTime(t *testing.T) {
	const day = 24 * time.Hour
	nothing := func(rcode int, soa string) dnstest.Handler {
		return func(q *dnstest.Query) {
			m := q.Message(rcode)
			m.Ns = dnstest.Records(t, q.Name(), soa)
			q.Reply(m)
		}
	}
	answer := func(records ...string) dnstest.Handler { return func(q *dnstest.Query) { q.Answer(records...) } }
	for _, test := range []struct {
		name string
		h    dnstest.Handler
		want time.Duration
	}{
		{"an address", answer("@ 60 AAAA 2001:db8::1"), time.Minute},
		{"for no time", answer("@ 0 AAAA 2001:db8::1"), 0},
		{"for years", answer("@ 100000000 AAAA 2001:db8::1"), day},
		{"for a time with the highest bit", answer("@ 2147483648 AAAA 2001:db8::1"), 0}, // RFC 2181 section 8
		{"the shorter of two", answer("@ 60 AAAA 2001:db8::1", "@ 30 AAAA 2001:db8::2"), 30 * time.Second},
		{"the shorter of alias and address", answer("@ 20 CNAME b.example.", "b.example. 30 AAAA 2001:db8::2"), 20 * time.Second},
		{"the shorter of address and alias", answer("@ 40 CNAME b.example.", "b.example. 30 AAAA 2001:db8::2"), 30 * time.Second},
		{"what does not belong to it", answer("@ 60 AAAA 2001:db8::1", "other.example. 1 AAAA 2001:db8::2", "@ 1 A 192.0.2.1"), time.Minute},
		// RFC 2308 section 5
		{"no such name", nothing(dns.RcodeNameError, "example. 60 SOA ns. host. 1 2 3 4 90"), time.Minute},
		{"no such name, by the last number", nothing(dns.RcodeNameError, "example. 60 SOA ns. host. 1 2 3 4 30"), 30 * time.Second},
		{"no such name, for days", nothing(dns.RcodeNameError, "example. 1000000 SOA ns. host. 1 2 3 4 1000000"), 3 * time.Hour},
		{"no such name, without a SOA record", func(q *dnstest.Query) { q.Refuse(dns.RcodeNameError) }, 0},
		{"no address", nothing(dns.RcodeSuccess, "example. 60 SOA ns. host. 1 2 3 4 90"), time.Minute},
		{"no address, without a SOA record", answer(), 0},
		{"no address behind an alias", func(q *dnstest.Query) {
			m := q.Message(dns.RcodeSuccess, "@ 10 CNAME b.example.")
			m.Ns = dnstest.Records(t, q.Name(), "example. 60 SOA ns. host. 1 2 3 4 90")
			q.Reply(m)
		}, 10 * time.Second},
		// RFC 9520 section 3.2
		{"a failure", func(q *dnstest.Query) { q.Refuse(dns.RcodeServerFailure) }, time.Second},
		{"silence", silent, 0},
		{"aliases in a circle", answer("@ 60 CNAME @"), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := newTally()
				c := client(t, memory(t, func(q *dnstest.Query) {
					asked.add(q)
					test.h(q)
				}))
				ask := func() int {
					_, _ = c.LookupNetIP(t.Context(), "ip6", "host.example")
					return len(asked.take())
				}
				ask()
				time.Sleep(max(0, test.want-time.Nanosecond))
				if n := ask(); (n == 0) != (test.want > 0) {
					t.Errorf("just before %v, %d questions are asked", test.want, n)
				}
				time.Sleep(time.Nanosecond)
				if n := ask(); n == 0 {
					t.Errorf("after %v, no question is asked", test.want)
				}
			})
		})
	}
}

// An answer that HTTP has kept holds for less long.
func TestAgeCounts(t *testing.T) {
	for age, want := range map[string]int{"": 0, "10": 0, "59": 0, "60": 1, "61": 1, "-1": 0, "x": 0, "99999999999": 0} {
		asked := newTally()
		s := dnstest.Start(t, func(q *dnstest.Query) {
			asked.add(q)
			q.HTTP.Header().Set("Age", age)
			q.Answer("@ 60 AAAA 2001:db8::1")
		})
		c := client(t, real(s, dnsclient.HTTPS))
		found(t, c, "ip6", "host.example", "2001:db8::1")
		asked.take()
		found(t, c, "ip6", "host.example", "2001:db8::1")
		// What has a second left may be over on a slow machine.
		if n := len(asked.take()); n != want && age != "59" {
			t.Errorf("Age %q: %d further questions, want %d", age, n, want)
		}
		s.Close()
	}
}

// What is known is known by name in any case and form, and by type; a name that does not exist has no addresses of any.
func TestWhatTheCacheKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := newTally()
		c := client(t, memory(t, func(q *dnstest.Query) {
			asked.add(q)
			switch {
			case q.Name() == "gone.example.":
				q.Nothing(dns.RcodeNameError, "60")
			case q.Type() == "A":
				q.Nothing(dns.RcodeSuccess, "60")
			default:
				good(q)
			}
		}))
		for _, step := range []struct {
			network, host string
			want          []string // questions
		}{
			{"ip6", "host.example", []string{"udp host.example. AAAA"}},
			{"ip6", "HOST.Example.", nil},
			{"ip4", "host.example", []string{"udp host.example. A"}},
			{"ip4", "host.example", nil},
			{"ip", "host.example", nil},
			{"ip4", "gone.example", []string{"udp gone.example. A"}},
			{"ip6", "gone.example", nil},
			{"ip", "gone.example", nil},
			{"ip6", "www.gone.example", []string{"udp www.gone.example. AAAA"}},
		} {
			_, _ = c.LookupNetIP(t.Context(), step.network, step.host)
			if got := asked.take(); !slices.Equal(got, step.want) {
				t.Errorf("LookupNetIP(%q, %q) asks %q, want %q", step.network, step.host, got, step.want)
			}
		}
	})
}

// The cache keeps what was used last, and not more than it may.
func TestTheCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := newTally()
		cfg := memory(t, func(q *dnstest.Query) {
			asked.add(q)
			good(q)
		})
		cfg.CacheSize = 3
		c := client(t, cfg)
		ask := func(n int) bool {
			found(t, c, "ip6", "host-"+strconv.Itoa(n)+".example", "2001:db8::1")
			return len(asked.take()) > 0
		}
		for _, step := range []struct {
			host int
			asks bool
		}{
			{1, true}, {2, true}, {3, true}, {1, false}, {4, true}, // 2 goes
			{1, false}, {3, false}, {4, false}, {2, true}, // 1 goes
			{3, false}, {4, false}, {2, false}, {1, true},
		} {
			if got := ask(step.host); got != step.asks {
				t.Errorf("host-%d is asked for: %v, want %v", step.host, got, step.asks)
			}
		}
	})
}

// Without a cache every look-up asks.
func TestNoCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := newTally()
		cfg := memory(t, func(q *dnstest.Query) {
			asked.add(q)
			good(q)
		})
		cfg.CacheSize = 0
		c := client(t, cfg)
		for range 3 {
			found(t, c, "ip6", "host.example", "2001:db8::1")
		}
		if n := len(asked.take()); n != 3 {
			t.Errorf("%d questions for 3 look-ups", n)
		}
	})
}

// A caller may change what it gets.
func TestResultsAreTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, memory(t, func(q *dnstest.Query) {
			if q.Name() == "gone.example." {
				q.Nothing(dns.RcodeNameError, "60")
				return
			}
			good(q)
		}))
		addrs, err := c.LookupNetIP(t.Context(), "ip6", "host.example")
		if err != nil {
			t.Fatal(err)
		}
		addrs[0] = addrs[0].Next()
		found(t, c, "ip6", "host.example", "2001:db8::1")
		for _, name := range []string{"gone.example", "GONE.example."} {
			if err := fails(t, c, "ip6", name); err.Error() != fmt.Sprintf("lookup %s: no such host", name) {
				t.Errorf("the error is %v", err)
			}
		}
	})
}
