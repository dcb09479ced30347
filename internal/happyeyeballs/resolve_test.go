package happyeyeballs

import (
	"context"
	"errors"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// HE-01
func TestAAAAIsAskedFirstAndAAtOnce(t *testing.T) {
	// With one processor a goroutine runs on until it blocks: the order in the log is the order of the calls.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, family := range []Family{AnyFamily, PreferIPv4, PreferIPv6} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.dns["ip6"] = reply{after: 100 * ms, addrs: []string{"2001:db8::1"}}
			w.dns["ip4"] = reply{after: 100 * ms, addrs: []string{"192.0.2.1"}}
			w.host["2001:db8::1"], w.host["192.0.2.1"] = peer{}, peer{}
			if _, err := w.dialTo(t.Context(), w.engine(Config{Family: family}), nil); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(w.asked, []string{"ip6", "ip4"}) {
				t.Errorf("%v: asked %v", family, w.asked)
			}
			if w.now() != 100*ms {
				t.Errorf("%v: took %v: the questions were not asked at once", family, w.now())
			}
			first := w.events[:2]
			if first[0].Network != "ip6" || first[1].Network != "ip4" || !first[0].Time.Equal(first[1].Time) {
				t.Errorf("%v: trace begins with %v", family, first)
			}
		})
	}
}

// HE-01
func TestOneFamilyIsAskedAlone(t *testing.T) {
	for family, want := range map[Family]string{IPv4Only: "ip4", IPv6Only: "ip6"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.dns["ip6"] = reply{addrs: []string{"2001:db8::1"}}
			w.dns["ip4"] = reply{addrs: []string{"192.0.2.1"}}
			w.host["2001:db8::1"], w.host["192.0.2.1"] = peer{}, peer{}
			if _, err := w.dialTo(t.Context(), w.engine(Config{Family: family}), nil); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(w.asked, []string{want}) || len(w.attempts) != 1 {
				t.Errorf("%v: asked %v, tried %v", family, w.asked, w.started())
			}
		})
	}
}

// HE-02, HE-03: the answers' times decide when the first attempt starts and where it goes.
func TestResolutionDelay(t *testing.T) {
	const v6, v4 = "2001:db8::1", "192.0.2.1"
	aaaa := func(after time.Duration) reply { return reply{after: after, addrs: []string{v6}} }
	a := func(after time.Duration) reply { return reply{after: after, addrs: []string{v4}} }
	never := reply{never: true}
	tests := []struct {
		name    string
		ip6     reply
		ip4     reply
		family  Family
		delay   time.Duration
		started string
	}{
		{"AAAA first does not wait for A", aaaa(10 * ms), never, AnyFamily, 0, v6 + "@10ms"},
		{"AAAA first, A late", aaaa(10 * ms), a(5 * time.Second), AnyFamily, 0, v6 + "@10ms"},
		{"both at once", aaaa(0), a(0), AnyFamily, 0, v6 + "@0s"},
		{"AAAA 10 ms after A", aaaa(30 * ms), a(20 * ms), AnyFamily, 0, v6 + "@30ms"},
		{"AAAA 49 ms after A", aaaa(69 * ms), a(20 * ms), AnyFamily, 0, v6 + "@69ms"},
		{"AAAA 51 ms after A", aaaa(71 * ms), a(20 * ms), AnyFamily, 0, v4 + "@70ms"},
		{"AAAA 200 ms after A", aaaa(220 * ms), a(20 * ms), AnyFamily, 0, v4 + "@70ms"},
		{"AAAA never", never, a(20 * ms), AnyFamily, 0, v4 + "@70ms"},
		{"a longer delay", aaaa(220 * ms), a(20 * ms), AnyFamily, 201 * ms, v6 + "@220ms"},
		{"no delay", aaaa(21 * ms), a(20 * ms), AnyFamily, -1, v4 + "@20ms"},
		{"AAAA is empty", reply{after: 30 * ms}, a(20 * ms), AnyFamily, 0, v4 + "@30ms"},
		{"AAAA is NXDOMAIN", reply{after: 30 * ms, err: errNotFound}, a(20 * ms), AnyFamily, 0, v4 + "@30ms"},
		{"AAAA is SERVFAIL", reply{after: 30 * ms, err: errServFail}, a(20 * ms), AnyFamily, 0, v4 + "@30ms"},
		{"AAAA is REFUSED at once", reply{err: errServFail}, a(20 * ms), AnyFamily, 0, v4 + "@20ms"},
		{"A is SERVFAIL", aaaa(30 * ms), reply{err: errServFail}, AnyFamily, 0, v6 + "@30ms"},
		{"A is SERVFAIL, AAAA takes seconds", aaaa(4 * time.Second), reply{err: errServFail}, AnyFamily, 0, v6 + "@4s"},
		{"A is NXDOMAIN after AAAA", aaaa(10 * ms), reply{after: 20 * ms, err: errNotFound}, AnyFamily, 0, v6 + "@10ms"},
		{"prefer4 waits for A", aaaa(20 * ms), a(69 * ms), PreferIPv4, 0, v4 + "@69ms"},
		{"prefer4 does not wait longer", aaaa(20 * ms), a(71 * ms), PreferIPv4, 0, v6 + "@70ms"},
		{"prefer4 does not wait for AAAA", never, a(20 * ms), PreferIPv4, 0, v4 + "@20ms"},
		{"4 does not wait", aaaa(0), a(20 * ms), IPv4Only, 0, v4 + "@20ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.dns["ip6"], w.dns["ip4"] = tt.ip6, tt.ip4
				w.host[v6], w.host[v4] = peer{}, peer{}
				got, err := w.dialTo(t.Context(), w.engine(Config{Family: tt.family, ResolutionDelay: tt.delay}), nil)
				if err != nil {
					t.Fatal(err)
				}
				w.wantStarted(tt.started)
				w.wantOpen(got)
			})
		})
	}
}

// HE-05: an address for datagrams is chosen once, so that the order has to be right: either family waits for the other.
func TestResolutionDelayOfDatagrams(t *testing.T) {
	const teredo, v6, v4 = "2001::1", "2001:db8::1", "192.0.2.1" // RFC 6724 has IPv4 between the two
	aaaa := func(after time.Duration, a string) reply { return reply{after: after, addrs: []string{a}} }
	a := func(after time.Duration) reply { return reply{after: after, addrs: []string{v4}} }
	tests := []struct {
		name     string
		ip6, ip4 reply
		started  string
	}{
		{"both at once", aaaa(0, v6), a(0), v6 + "@0s"},
		{"A later", aaaa(10*ms, teredo), a(59 * ms), v4 + "@59ms"},
		{"A too late", aaaa(10*ms, teredo), a(61 * ms), teredo + "@60ms"},
		{"A never", aaaa(10*ms, v6), reply{never: true}, v6 + "@60ms"},
		{"A fails", aaaa(10*ms, v6), reply{after: 20 * ms, err: errServFail}, v6 + "@20ms"},
		{"AAAA later", aaaa(59*ms, v6), a(10 * ms), v6 + "@59ms"},
		{"AAAA never", reply{never: true}, a(10 * ms), v4 + "@60ms"},
		{"AAAA is empty, A takes seconds", reply{}, a(4 * time.Second), v4 + "@4s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.dns["ip6"], w.dns["ip4"] = tt.ip6, tt.ip4
				w.host[teredo], w.host[v6], w.host[v4] = peer{}, peer{}, peer{}
				if _, err := w.dialTo(t.Context(), w.engine(Config{Network: "udp", NoMemory: true}), nil); err != nil {
					t.Fatal(err)
				}
				w.wantStarted(tt.started)
			})
		})
	}
}

// HE-02: an answer that waits out the delay does not hold up a connection that is there.
func TestWinnerDoesNotWaitForAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"] = reply{addrs: []string{"2001:db8::1"}}
		w.dns["ip4"] = reply{after: time.Hour, deaf: true}
		w.host["2001:db8::1"] = peer{after: 10 * ms}
		if _, err := w.dialTo(t.Context(), w.engine(Config{}), nil); err != nil || w.now() != 10*ms {
			t.Errorf("%v after %v", err, w.now())
		}
		w.settle()
	})
}

// HE-10
func TestHosts(t *testing.T) {
	tests := []struct {
		host    string
		asked   bool
		started []string
	}{
		{"192.0.2.1", false, []string{"192.0.2.1"}},
		{"2001:db8::1", false, []string{"2001:db8::1"}},
		{"fe80::1%eth0", false, []string{"fe80::1%eth0"}},
		{"::ffff:192.0.2.1", false, []string{"192.0.2.1"}},
		{"localhost", false, []string{"::1", "127.0.0.1"}},
		{"LocalHost.", false, []string{"::1", "127.0.0.1"}},
		{"app.localhost", false, []string{"::1", "127.0.0.1"}},
		{"printer.local", true, []string{"2001:db8::7", "192.0.2.7"}},
		{"host.example.", true, []string{"2001:db8::7", "192.0.2.7"}},
		{"xn--bcher-kva.example", true, []string{"2001:db8::7", "192.0.2.7"}},
		{"127.1", true, []string{"2001:db8::7", "192.0.2.7"}}, // no literal to us: the resolver's affair
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.dns["ip6"] = reply{addrs: []string{"2001:db8::7"}}
				w.dns["ip4"] = reply{addrs: []string{"192.0.2.7"}}
				_, err := w.engine(Config{}).Dial(t.Context(), tt.host, 80)
				if !errors.Is(err, errRefused) {
					t.Fatal(err)
				}
				var tried []string
				for _, s := range w.attempts {
					tried = append(tried, s.addr)
				}
				if (len(w.asked) > 0) != tt.asked || !slices.Equal(tried, tt.started) {
					t.Errorf("asked %v, tried %v", w.asked, tried)
				}
			})
		})
	}
}

// HE-10: what a resolver may answer beyond what it was asked.
func TestAnswersAreTidied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"] = reply{addrs: []string{"2001:db8::1", "::ffff:192.0.2.1", "fe80::1%eth0", "2001:db8::1"}}
		w.dns["ip4"] = reply{addrs: []string{"::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"}}
		got := addrs(must(w.engine(Config{}).Resolve(t.Context(), "host.example", 0)))
		if want := "fe80::1%eth0 192.0.2.1 2001:db8::1 192.0.2.2"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		got = addrs(must(w.engine(Config{Family: IPv4Only}).Resolve(t.Context(), "host.example", 0)))
		if want := "192.0.2.1 192.0.2.2"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func addrs(cs []Candidate) string {
	var out []string
	for _, c := range cs {
		out = append(out, c.Addr.String())
	}
	return strings.Join(out, " ")
}

func TestResolveWaitsForBothAndFailsOnlyWithoutAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"] = reply{after: 3 * time.Second, addrs: []string{"2001:db8::1"}}
		w.dns["ip4"] = reply{err: errServFail}
		e := w.engine(Config{Timeout: 4 * time.Second})
		if got := addrs(must(e.Resolve(t.Context(), "host.example", 0))); got != "2001:db8::1" || w.now() != 3*time.Second {
			t.Errorf("%s after %v", got, w.now())
		}
		w.dns["ip6"] = reply{err: errNotFound}
		_, err := e.Resolve(t.Context(), "host.example", 0)
		var dns *net.DNSError
		if !errors.Is(err, errServFail) || !errors.As(err, &dns) {
			t.Errorf("got %v", err)
		}
		w.dns["ip6"] = reply{never: true}
		if _, err = e.Resolve(t.Context(), "host.example", 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got := addrs(must(e.Resolve(t.Context(), "::1", 0))); got != "::1" {
			t.Errorf("got %s", got)
		}
		if _, err = w.engine(Config{Family: IPv4Only}).Resolve(t.Context(), "::1", 0); err == nil {
			t.Error("an address of the other family resolved")
		}
	})
}

// A name without addresses fails as soon as both answers are there.
func TestNoAddress(t *testing.T) {
	tests := []struct {
		name     string
		ip6, ip4 reply
		after    time.Duration
		is       error
	}{
		{"both empty", reply{}, reply{after: 20 * ms}, 20 * ms, errNoAddress},
		{"NXDOMAIN", reply{err: errNotFound}, reply{err: errNotFound}, 0, errNotFound},
		{"SERVFAIL late", reply{after: 5 * time.Second, err: errServFail}, reply{err: errNotFound}, 5 * time.Second, errServFail},
		{"addresses of the wrong family only", reply{addrs: []string{"192.0.2.1"}}, reply{}, 0, errNoAddress},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.dns["ip6"], w.dns["ip4"] = tt.ip6, tt.ip4
				family := AnyFamily
				if len(tt.ip6.addrs) > 0 {
					family = IPv6Only
				}
				_, err := w.dialTo(t.Context(), w.engine(Config{Family: family}), nil)
				if !errors.Is(err, tt.is) || w.now() != tt.after || len(w.attempts) != 0 {
					t.Errorf("%v after %v", err, w.now())
				}
			})
		})
	}
}
