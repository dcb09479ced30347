package happyeyeballs

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// What a dial needs to know of an address costs a good part of a connection: a second dial looks into the one that worked,
// and into the others only when it gets to them.
func TestSecondDialLooksOnlyIntoWhatWorked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"], w.dns["ip4"] = reply{addrs: []string{a6, b6, c6}}, reply{addrs: []string{x4, y4}}
		w.host[a6], w.host[x4] = peer{drop: true}, peer{after: 10 * ms}
		var looked []string
		e := w.engine(Config{Timeout: 10 * time.Second, Source: func(ctx context.Context, dst netip.Addr) Source {
			looked = append(looked, dst.String())
			return mirror(ctx, dst)
		}})
		if got, err := w.dialTo(t.Context(), e, nil); got != x4 {
			t.Fatalf("got %s, %v", got, err)
		}
		for _, tt := range []struct {
			drop   bool
			looked []string
			tried  string
		}{
			{false, []string{x4}, x4 + " "},
			{true, []string{a6, b6, c6, x4, y4}, x4 + " " + b6 + " " + y4 + " " + c6 + " " + a6 + " "},
		} {
			looked, w.attempts = nil, nil
			w.host[b6], w.host[c6], w.host[y4] = peer{drop: true}, peer{drop: true}, peer{drop: true}
			w.host[x4] = peer{drop: tt.drop}
			_, _ = w.dialTo(t.Context(), e, nil)
			slices.Sort(looked)
			slices.Sort(tt.looked)
			if !slices.Equal(looked, tt.looked) || w.tried() != tt.tried {
				t.Errorf("looked into %v, want %v; tried %s, want %s", looked, tt.looked, w.tried(), tt.tried)
			}
		}
	})
}

// In another network the plain order has its turn again; all that is left of what failed is that its family's answer waits
// for the other one, once.
func TestFailureInAnotherNetworkCostsAtMostOneResolutionDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"], w.dns["ip4"] = reply{addrs: []string{a6}}, reply{addrs: []string{x4}}
		w.host[a6], w.host[x4] = peer{drop: true}, peer{}
		net6 := netip.MustParseAddr("2001:db8:aaaa::1")
		e := w.engine(Config{Source: func(ctx context.Context, dst netip.Addr) Source {
			if dst.Is6() {
				return Source{Addr: net6}
			}
			return mirror(ctx, dst)
		}})
		_, _ = w.dialTo(t.Context(), e, nil)
		net6 = netip.MustParseAddr("2001:db8:bbbb::1")
		e.memory.learn(record{dst: netip.AddrPortFrom(netip.MustParseAddr(x4), 443), src: net6, outcome: Worked})
		w.host[a6], w.dns["ip4"] = peer{}, reply{after: 200 * ms, addrs: []string{x4}}
		for _, want := range []time.Duration{50 * ms, 0} {
			begun := w.now()
			if got, err := w.dialTo(t.Context(), e, nil); got != a6 || w.now()-begun != want {
				t.Errorf("got %s, %v after %v, want %v", got, err, w.now()-begun, want)
			}
		}
	})
}
