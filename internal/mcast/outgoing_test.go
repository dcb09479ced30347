package mcast

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/epctl/endpoint/internal/netif"
)

func TestOutgoingInterfaceFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1, "192.0.2.1/24"), eth(3, "b", 2))
		way := func(want int) {
			t.Helper()
			if got := w.Way(); got != want {
				t.Errorf("way %d, want %d", got, want)
			}
		}
		way(WayByRoutes)
		if err := w.SetOutgoing(sel("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
		way(2)
		w.become(eth(2, "a", 1), eth(3, "b", 2))
		way(WayGone)
		w.become(eth(2, "a", 1), eth(3, "b", 2, "192.0.2.1/24"))
		way(3)
		w.become(eth(2, "a", 1), eth(3, "b", 9, "192.0.2.1/24"))
		way(3)
		if err := w.SetOutgoing(sel("none")); !errors.Is(err, netif.ErrNoInterface) {
			t.Error(err)
		}
		if err := w.SetOutgoing(All()); err == nil {
			t.Error("all interfaces are taken for one")
		}
		way(3)
		if err := w.SetOutgoing(Selector{}); err != nil {
			t.Error(err)
		}
		way(WayByRoutes)
		if want := []int{2, 3, 3, 0}; !slices.Equal(w.kernel.outgoing, want) {
			t.Errorf("set %v, want %v", w.kernel.outgoing, want)
		}
		wantLines(t, "events", w.events(), "can't send to groups: 192.0.2.1 is gone", "sends to groups by b (index 3)", "sends to groups by b (index 3)")
	})
}

func TestWayWhereNoneWasChosen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1))
		if err := w.Join(channel("239.1.2.3"), All()); err != nil {
			t.Fatal(err)
		}
		for n, want := range []int{2, WayAmbiguous, 2, WayByRoutes} {
			w.become([][]netif.Interface{{eth(2, "a", 1)}, {eth(2, "a", 1), eth(3, "b", 2)}, {eth(2, "a", 1)}, {}}[n]...)
			if got := w.Way(); got != want {
				t.Errorf("step %d: way %d, want %d", n, got, want)
			}
		}
	})
}
