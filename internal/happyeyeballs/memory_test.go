package happyeyeballs

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// dialTwice dials, waits, changes the world and dials again; it returns where both went and how long the second took.
func (w *world) dialTwice(e *Engine, up Upgrade, between func()) (first, second string, took time.Duration) {
	w.t.Helper()
	first, _ = w.dialTo(w.t.Context(), e, up)
	between()
	w.attempts = nil
	begun := w.now()
	second, _ = w.dialTo(w.t.Context(), e, up)
	return first, second, w.now() - begun
}

func (w *world) tried() string {
	out := ""
	for _, s := range w.attempts {
		out += s.addr + " "
	}
	return out
}

func TestSecondDialRemembers(t *testing.T) {
	nothing := func(*world) {}
	tests := []struct {
		name   string
		ip6    []string
		ip4    []string
		host   map[string]peer
		c      Config
		change func(*world)
		second string
		took   time.Duration
		tried  string
	}{
		{
			name: "dead IPv6 costs no delay", ip6: []string{a6}, ip4: []string{x4},
			host:   map[string]peer{a6: {drop: true}, x4: {after: 10 * ms}},
			change: nothing, second: x4, took: 10 * ms, tried: x4 + " ",
		}, {
			name: "three dead IPv6 before a live one", ip6: []string{a6, b6, c6, d6},
			host:   map[string]peer{a6: {drop: true}, b6: {drop: true}, c6: {drop: true}, d6: {after: 10 * ms}},
			change: nothing, second: d6, took: 10 * ms, tried: d6 + " ",
		}, {
			name: "those that failed go last", ip6: []string{a6, b6, c6}, ip4: []string{x4},
			host:   map[string]peer{a6: {drop: true}, x4: {}},
			change: func(w *world) { w.host[x4] = peer{err: errRefused}; w.host[b6] = peer{after: ms} },
			second: b6, took: ms, tried: x4 + " " + b6 + " ",
		}, {
			name: "and they are tried when the rest has failed", ip6: []string{a6}, ip4: []string{x4},
			host:   map[string]peer{x4: {}},
			change: func(w *world) { delete(w.host, x4); w.host[a6] = peer{} },
			second: a6, tried: x4 + " " + a6 + " ",
		}, {
			name: "off", ip6: []string{a6}, ip4: []string{x4}, c: Config{NoMemory: true},
			host:   map[string]peer{a6: {drop: true}, x4: {after: 10 * ms}},
			change: nothing, second: x4, took: 260 * ms, tried: a6 + " " + x4 + " ",
		}, {
			name: "until ten minutes have passed", ip6: []string{a6}, ip4: []string{x4},
			host:   map[string]peer{a6: {drop: true}, x4: {after: 10 * ms}},
			change: func(*world) { <-time.After(10*time.Minute - ms) },
			second: x4, took: 10 * ms, tried: x4 + " ",
		}, {
			name: "and not longer", ip6: []string{a6}, ip4: []string{x4},
			host:   map[string]peer{a6: {drop: true}, x4: {after: 10 * ms}},
			change: func(*world) { <-time.After(10 * time.Minute) },
			second: x4, took: 260 * ms, tried: a6 + " " + x4 + " ",
		}, {
			name: "doubt waits for the other family no longer than the resolution delay", ip6: []string{a6}, ip4: []string{x4},
			host:   map[string]peer{a6: {drop: true}, x4: {}},
			change: func(w *world) { w.dns["ip4"] = reply{never: true}; w.host[a6] = peer{} },
			second: a6, took: 50 * ms, tried: a6 + " ",
		}, {
			name: "a loser that was just started is not a failure", ip6: []string{a6}, ip4: []string{x4, y4},
			host:   map[string]peer{a6: {after: 300 * ms, err: errRefused}, x4: {after: 260 * ms}, y4: {drop: true}},
			change: func(w *world) { delete(w.host, x4); w.host[y4] = peer{after: ms} },
			second: y4, took: ms, tried: x4 + " " + y4 + " ",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.dns["ip6"], w.dns["ip4"], w.host = reply{addrs: tt.ip6}, reply{addrs: tt.ip4}, tt.host
				first, second, took := w.dialTwice(w.engine(tt.c), nil, func() { tt.change(w) })
				if first == "" || second != tt.second || took != tt.took || w.tried() != tt.tried {
					t.Errorf("%s, then %s after %v by %s; want %s after %v by %s",
						first, second, took, w.tried(), tt.second, tt.took, tt.tried)
				}
			})
		})
	}
}

// A success that is confirmed again and again is believed for ten minutes all the same: the plain order has its turn.
func TestMemoryConverges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"], w.dns["ip4"] = reply{after: 10 * ms, addrs: []string{a6}}, reply{addrs: []string{x4}}
		w.host[a6], w.host[x4] = peer{drop: true}, peer{}
		e := w.engine(Config{})
		for range 9 {
			if got, _ := w.dialTo(t.Context(), e, nil); got != x4 {
				t.Fatalf("got %s", got)
			}
			<-time.After(time.Minute)
		}
		w.host[a6] = peer{}
		if got, _ := w.dialTo(t.Context(), e, nil); got != x4 {
			t.Errorf("after nine minutes: %s", got)
		}
		<-time.After(time.Minute)
		if got, _ := w.dialTo(t.Context(), e, nil); got != a6 {
			t.Errorf("after ten minutes: %s", got)
		}
	})
}

// A handshake that hangs counts against its address, a cancelled dial does not.
func TestWhatCountsAsFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"], w.dns["ip4"] = reply{addrs: []string{a6, b6}}, reply{addrs: []string{x4}}
		w.host[a6], w.host[x4], w.host[b6] = peer{mute: true}, peer{shakeErr: errBroken}, peer{shake: 10 * ms}
		e := w.engine(Config{})
		if got, err := w.dialTo(t.Context(), e, w.upgrade); got != b6 {
			t.Fatalf("got %s, %v", got, err)
		}
		outcomes(t, e, map[string]Outcome{a6: Failed, x4: Failed, b6: Worked})

		w.host[b6] = peer{mute: true}
		e = w.engine(Config{})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		if got, err := w.dialTo(ctx, e, w.upgrade); err == nil {
			t.Fatalf("got %s", got)
		}
		outcomes(t, e, map[string]Outcome{a6: Unknown, x4: Failed, b6: Unknown})

		e = w.engine(Config{Timeout: 10 * time.Second})
		if got, err := w.dialTo(t.Context(), e, w.upgrade); err == nil {
			t.Fatalf("got %s", got)
		}
		outcomes(t, e, map[string]Outcome{a6: Failed, x4: Failed, b6: Failed})
	})
}

// An attempt that fails because the dial was cancelled says nothing about its address, whichever report comes first.
func TestCancelledAttemptIsNotRemembered(t *testing.T) {
	e := routed(t, Config{}, []route{{a6, "2001:db8::9"}, {b6, "2001:db8::9"}, {x4, "192.0.2.9"}})
	ctx, cancel := context.WithCancel(t.Context())
	r := &race{dial: newDial(e, "host.example", 443, nil), ctx: ctx, list: newList(e, 443)}
	r.list.add(addrList(a6, x4))
	r.list.sort(ctx)
	r.handle(report{flight: &flight{candidate: r.list.take(ctx)}, err: errRefused})
	cancel()
	r.handle(report{flight: &flight{candidate: r.list.take(ctx)}, err: context.Canceled})
	outcomes(t, e, map[string]Outcome{a6: Failed})
}

func outcomes(t *testing.T, e *Engine, want map[string]Outcome) {
	t.Helper()
	for _, c := range e.Order(t.Context(), addrList(a6, b6, x4), 443) {
		if c.Outcome != want[c.Addr.String()] {
			t.Errorf("%v %v, want %v", c.Addr, c.Outcome, want[c.Addr.String()])
		}
	}
}

// The draft: histories are not used across networks. Another source address is another network.
func TestMemoryIsOfOneNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"], w.dns["ip4"] = reply{addrs: []string{a6}}, reply{addrs: []string{x4}}
		w.host[a6], w.host[x4] = peer{drop: true}, peer{}
		from := netip.MustParseAddr("192.0.2.100")
		e := w.engine(Config{Source: func(ctx context.Context, dst netip.Addr) Source {
			if dst.Is4() {
				return Source{Addr: from}
			}
			return mirror(ctx, dst)
		}})
		if got, _ := w.dialTo(t.Context(), e, nil); got != x4 {
			t.Fatalf("got %s", got)
		}
		outcomes(t, e, map[string]Outcome{a6: Failed, x4: Worked})
		from = netip.MustParseAddr("198.51.100.100")
		outcomes(t, e, map[string]Outcome{a6: Failed, x4: Unknown})
	})
}

// The draft's rule between 8 and 9: among addresses that worked, the faster one, unless RFC 6724 says otherwise before.
func TestConnectTimeDecidesAmongThoseThatWorked(t *testing.T) {
	e := routed(t, Config{}, []route{{a6, "2001:db8::9"}, {b6, "2001:db8::9"}, {x4, "192.0.2.9"}})
	worked := func(a, src string, took time.Duration) {
		e.memory.learn(record{
			dst: netip.AddrPortFrom(netip.MustParseAddr(a), 443), src: netip.MustParseAddr(src), outcome: Worked, connect: took,
		})
	}
	worked(a6, "2001:db8::9", 30*ms)
	worked(b6, "2001:db8::9", 20*ms)
	worked(x4, "192.0.2.9", 10*ms)
	got := e.Order(t.Context(), addrList(a6, b6, x4), 443)
	if addrs(got) != b6+" "+x4+" "+a6 || got[0].Connect != 20*ms {
		t.Errorf("got %v", got)
	}
	got = e.Order(t.Context(), addrList(a6, b6), 443)
	if addrs(got) != b6+" "+a6 || got[1].Rule != RuleConnectTime {
		t.Errorf("got %v", got)
	}
	if got = e.Order(t.Context(), addrList(a6, b6), 444); got[0].Outcome != Unknown {
		t.Errorf("another port: %v", got)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory()
	src := netip.MustParseAddr("2001:db8::9")
	dst := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0: 0x20, 14: byte(i >> 8), 15: byte(i)}), 443)
	}
	for i := range 3 * memorySize {
		m.learn(record{dst: dst(i), src: src, outcome: Outcome(1 + i%2)})
		if len(m.records) != m.byAge.Len() || len(m.records) > memorySize {
			t.Fatalf("%d records, %d in the list", len(m.records), m.byAge.Len())
		}
	}
	for i := range 3 * memorySize {
		o, _ := m.recall(dst(i), src)
		if kept := i >= 2*memorySize; kept != (o != Unknown) {
			t.Fatalf("record %d: %v", i, o)
		}
	}
}

func TestMemoryIsForManyGoroutines(t *testing.T) {
	m := newMemory()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				a := netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:%d", i%256, 1+(i+g)%9))
				m.learn(record{dst: a, outcome: Outcome(1 + (i+g)%2)})
				m.recall(a, netip.Addr{})
			}
		})
	}
	wg.Wait()
}

func TestOutcomeWords(t *testing.T) {
	if got := fmt.Sprint(Unknown, Worked, Failed); got != " worked failed" {
		t.Errorf("%q", got)
	}
}
