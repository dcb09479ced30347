package happyeyeballs

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// Short names of addresses, in RFC 6724 order.
const (
	a6, b6, c6, d6 = "2001:db8::a", "2001:db8::b", "2001:db8::c", "2001:db8::d"
	x4, y4, z4     = "192.0.2.1", "192.0.2.2", "192.0.2.3"
)

// HE-06, HE-07: when which attempt starts, and who wins.
func TestRace(t *testing.T) {
	drop, up := peer{drop: true}, peer{after: 10 * ms}
	tests := []struct {
		name    string
		ip6     []string
		ip4     []string
		host    map[string]peer
		cfg     Config
		won     string
		after   time.Duration
		started string
	}{
		{
			name: "the first is good", ip6: []string{a6, b6}, ip4: []string{x4},
			host: map[string]peer{a6: up},
			won:  a6, after: 10 * ms, started: a6 + "@0s",
		}, {
			name: "the first is refused at once", ip6: []string{a6}, ip4: []string{x4},
			host: map[string]peer{x4: up},
			won:  x4, after: 10 * ms, started: a6 + "@0s " + x4 + "@0s",
		}, {
			name: "the first is refused after 60 ms", ip6: []string{a6}, ip4: []string{x4},
			host: map[string]peer{a6: {after: 60 * ms, err: errRefused}, x4: up},
			won:  x4, after: 70 * ms, started: a6 + "@0s " + x4 + "@60ms",
		}, {
			name: "the first is dropped", ip6: []string{a6}, ip4: []string{x4},
			host: map[string]peer{a6: drop, x4: up},
			won:  x4, after: 260 * ms, started: a6 + "@0s " + x4 + "@250ms",
		}, {
			name: "three IPv6 addresses are dropped, families take turns", ip6: []string{a6, b6, c6}, ip4: []string{x4, y4},
			host: map[string]peer{a6: drop, b6: drop, c6: drop, x4: drop, y4: up},
			won:  y4, after: 760 * ms, started: a6 + "@0s " + x4 + "@250ms " + b6 + "@500ms " + y4 + "@750ms",
		}, {
			name: "three dropped before a live IPv6", ip6: []string{a6, b6, c6, d6},
			host: map[string]peer{a6: drop, b6: drop, c6: drop, d6: up},
			won:  d6, after: 760 * ms, started: a6 + "@0s " + b6 + "@250ms " + c6 + "@500ms " + d6 + "@750ms",
		}, {
			name: "another attempt delay", ip6: []string{a6}, ip4: []string{x4}, cfg: Config{AttemptDelay: 10 * ms},
			host: map[string]peer{a6: drop, x4: up},
			won:  x4, after: 20 * ms, started: a6 + "@0s " + x4 + "@10ms",
		}, {
			name: "a slow first one wins over a slower second", ip6: []string{a6}, ip4: []string{x4},
			host: map[string]peer{a6: {after: 300 * ms}, x4: {after: 60 * ms}},
			won:  a6, after: 300 * ms, started: a6 + "@0s " + x4 + "@250ms",
		}, {
			name: "an older attempt that fails does not hurry the next", ip6: []string{a6, b6}, ip4: []string{x4},
			host: map[string]peer{a6: {after: 300 * ms, err: errRefused}, x4: drop, b6: up},
			won:  b6, after: 510 * ms, started: a6 + "@0s " + x4 + "@250ms " + b6 + "@500ms",
		}, {
			name: "the last failure of all hurries the next", ip6: []string{a6, b6}, ip4: []string{x4},
			host: map[string]peer{a6: {after: 300 * ms, err: errRefused}, x4: {after: 20 * ms, err: errRefused}, b6: up},
			won:  b6, after: 280 * ms, started: a6 + "@0s " + x4 + "@250ms " + b6 + "@270ms",
		}, {
			name: "prefer4", ip6: []string{a6, b6}, ip4: []string{x4, y4}, cfg: Config{Family: PreferIPv4},
			host: map[string]peer{y4: up},
			won:  y4, after: 10 * ms, started: x4 + "@0s " + a6 + "@0s " + y4 + "@0s",
		}, {
			name: "two of the first family first", ip6: []string{a6, b6, c6}, ip4: []string{x4, y4}, cfg: Config{FirstFamilyCount: 2},
			host: map[string]peer{y4: up},
			won:  y4, after: 10 * ms, started: a6 + "@0s " + b6 + "@0s " + x4 + "@0s " + c6 + "@0s " + y4 + "@0s",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.dns["ip6"], w.dns["ip4"], w.host = reply{addrs: tt.ip6}, reply{addrs: tt.ip4}, tt.host
				got, err := w.dialTo(t.Context(), w.engine(tt.cfg), nil)
				if err != nil || got != tt.won || w.now() != tt.after {
					t.Errorf("got %s, %v after %v; want %s after %v", got, err, w.now(), tt.won, tt.after)
				}
				w.wantStarted(tt.started)
				w.wantOpen(tt.won)
			})
		})
	}
}

// HE-04
func TestLateAnswersJoinInPlace(t *testing.T) {
	drop := peer{drop: true}
	tests := []struct {
		name    string
		ip6     reply
		ip4     reply
		started string
	}{
		{
			"AAAA at 200 ms while IPv4 is tried",
			reply{after: 200 * ms, addrs: []string{a6, b6}}, reply{addrs: []string{x4, y4, z4}},
			x4 + "@50ms " + a6 + "@300ms " + b6 + "@550ms " + y4 + "@800ms " + z4 + "@1.05s",
		}, {
			"A at 200 ms while IPv6 is tried: the draft's example",
			reply{addrs: []string{a6, b6, c6}}, reply{after: 200 * ms, addrs: []string{x4, y4}},
			a6 + "@0s " + x4 + "@250ms " + b6 + "@500ms " + y4 + "@750ms " + c6 + "@1s",
		}, {
			"A after the list was through: tried at once",
			reply{addrs: []string{a6}}, reply{after: 5 * time.Second, addrs: []string{x4}},
			a6 + "@0s " + x4 + "@5s",
		}, {
			"A while the attempt delay runs: does not shorten it",
			reply{addrs: []string{a6}}, reply{after: 249 * ms, addrs: []string{x4}},
			a6 + "@0s " + x4 + "@250ms",
		}, {
			"a late answer with nothing new",
			reply{addrs: []string{a6, "::ffff:" + x4}}, reply{after: 100 * ms, addrs: []string{x4}},
			a6 + "@0s " + x4 + "@250ms",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.dns["ip6"], w.dns["ip4"] = tt.ip6, tt.ip4
				for _, a := range []string{a6, b6, c6, x4, y4, z4} {
					w.host[a] = drop
				}
				_, err := w.dialTo(t.Context(), w.engine(Config{Timeout: 10 * time.Second}), nil)
				if !errors.Is(err, context.DeadlineExceeded) || w.now() != 10*time.Second {
					t.Errorf("%v after %v", err, w.now())
				}
				w.wantStarted(tt.started)
			})
		})
	}
}

// HE-03, HE-04: all that was known has failed, and the last answer decides.
func TestFailedListWaitsForTheLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"] = reply{addrs: []string{a6}}
		w.dns["ip4"] = reply{after: 3 * time.Second, addrs: []string{x4}}
		w.host[x4] = peer{}
		if got, err := w.dialTo(t.Context(), w.engine(Config{}), nil); got != x4 || w.now() != 3*time.Second {
			t.Errorf("got %s, %v after %v", got, err, w.now())
		}
	})
}

// HE-07
func TestSimultaneousWinners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			w := newWorld(t)
			w.dns["ip6"], w.dns["ip4"] = reply{addrs: []string{a6, b6}}, reply{addrs: []string{x4}}
			w.host[a6], w.host[x4], w.host[b6] = peer{after: 510 * ms}, peer{after: 260 * ms}, peer{after: 10 * ms}
			got, err := w.dialTo(t.Context(), w.engine(Config{}), nil)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			w.wantOpen(got)
		}
	})
}

// HE-07: a dial that does not heed its context connects after the race is over.
func TestLateLoserIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"], w.dns["ip4"] = reply{addrs: []string{a6}}, reply{addrs: []string{x4}}
		w.host[a6], w.host[x4] = peer{after: 5 * time.Second, deaf: true}, peer{}
		got, err := w.dialTo(t.Context(), w.engine(Config{}), nil)
		if got != x4 || w.now() != 250*ms {
			t.Errorf("got %s, %v after %v", got, err, w.now())
		}
		w.settle()
		if len(w.conns) != 2 {
			t.Errorf("%d connections", len(w.conns))
		}
		w.wantOpen(x4)
	})
}

// HE-07: the same when there is no winner at all.
func TestLateLoserOfALostRaceIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"], w.dns["ip4"] = reply{addrs: []string{a6}}, reply{addrs: []string{x4}}
		w.host[a6] = peer{after: 5 * time.Second, deaf: true}
		w.host[x4] = w.host[a6]
		_, err := w.dialTo(t.Context(), w.engine(Config{Timeout: time.Second}), nil)
		if !errors.Is(err, context.DeadlineExceeded) || w.now() != time.Second {
			t.Errorf("%v after %v", err, w.now())
		}
		w.settle()
		if len(w.conns) != 2 {
			t.Errorf("%d connections", len(w.conns))
		}
		w.wantOpen()
	})
}

// The packet half of an endpoint: with a dial that returns at once the first address that routes is taken.
func TestDatagramDialTakesTheFirstThatRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"], w.dns["ip4"] = reply{addrs: []string{a6, b6}}, reply{addrs: []string{x4}}
		w.host[x4] = peer{}
		source := func(ctx context.Context, dst netip.Addr) Source {
			if dst.Is6() {
				return Source{}
			}
			return mirror(ctx, dst)
		}
		got, err := w.dialTo(t.Context(), w.engine(Config{Network: "udp", NoMemory: true, Source: source}), nil)
		if got != x4 {
			t.Errorf("got %s, %v", got, err)
		}
		if got := addrs(must(w.engine(Config{Source: source}).Resolve(t.Context(), "host.example", 53))); got != x4+" "+a6+" "+b6 {
			t.Errorf("order %s", got)
		}
	})
}
