package mcast

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/netif"
)

// MC-02: the old membership is dead, although the kernel keeps an entry.
func TestMembershipFollowsAnInterfaceThatIsMadeAnew(t *testing.T) {
	for name, anew := range map[string]netif.Interface{
		"with another index":   eth(7, "eth0", 2),
		"with the same index":  eth(2, "eth0", 2),
		"with a lower index":   eth(1, "eth0", 2),
		"and lost its address": eth(8, "eth0", 2),
	} {
		for _, pause := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, eth(2, "eth0", 1, "192.0.2.1/24"))
					for _, c := range []Channel{channel("239.1.2.3"), channel("232.1.1.1", "192.0.2.9"), channel("232.1.1.1", "192.0.2.8")} {
						if err := w.Join(c, sel("eth0")); err != nil {
							t.Fatal(err)
						}
					}
					if pause {
						w.become()
						w.wantJoined(t)
					}
					w.become(anew)
					w.wantJoined(t, "192.0.2.8 → 232.1.1.1 on eth0", "192.0.2.9 → 232.1.1.1 on eth0", "239.1.2.3 on eth0")
					for e, generation := range w.kernel.all() {
						if e.index != anew.Index || generation != 2 {
							t.Errorf("%v is of generation %d", e, generation)
						}
					}
				})
			})
		}
	}
}

func TestAllInterfacesAreKeptCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, loopback(), eth(2, "a", 2), down(eth(3, "b", 3)))
		if err := w.Join(channel("ff02::fb"), All()); err != nil {
			t.Fatal(err)
		}
		w.wantJoined(t, "ff02::fb on a")
		w.become(loopback(), eth(2, "a", 2), eth(3, "b", 3))
		w.wantJoined(t, "ff02::fb on a", "ff02::fb on b")
		w.become(loopback(), eth(3, "b", 3), eth(9, "c", 4))
		w.wantJoined(t, "ff02::fb on b", "ff02::fb on c")
		w.become(loopback(), down(eth(3, "b", 3)))
		w.wantJoined(t)
		w.become(loopback(), eth(3, "b", 3))
		w.wantJoined(t, "ff02::fb on b")
	})
}

// MC-03: a named interface keeps its memberships while it is down, and the kernel brings them up with it.
func TestNamedInterfaceStaysJoinedWhileDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1))
		if err := w.Join(channel("239.1.2.3"), sel("a")); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.become(down(eth(2, "a", 1)))
			w.become(eth(2, "a", 1))
		}
		w.wantJoined(t, "239.1.2.3 on a")
		if w.kernel.joins != 1 || w.kernel.leaves != 0 {
			t.Errorf("%d joins and %d leaves", w.kernel.joins, w.kernel.leaves)
		}
	})
}

func TestMembershipFollowsAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1, "192.0.2.1/24"), eth(3, "b", 2))
		if err := w.Join(channel("239.1.2.3"), sel("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
		w.wantJoined(t, "239.1.2.3 on a")
		w.become(eth(2, "a", 1), eth(3, "b", 2))
		w.wantJoined(t)
		w.become(eth(2, "a", 1), eth(3, "b", 2, "192.0.2.1/24"))
		w.wantJoined(t, "239.1.2.3 on b")
		w.become(eth(2, "a", 1, "192.0.2.1/32"), eth(3, "b", 2, "192.0.2.1/24"))
		w.wantJoined(t, "239.1.2.3 on a", "239.1.2.3 on b")
	})
}

func TestMembershipFollowsANameAndNotTheInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1))
		for _, s := range []string{"a", "2"} {
			if err := w.Join(channel("239.1.2.3"), sel(s)); err != nil {
				t.Fatal(err)
			}
		}
		w.become(eth(2, "b", 1), eth(3, "a", 2))
		w.wantJoined(t, "239.1.2.3 on b", "239.1.2.3 on a")
		if err := w.Leave(channel("239.1.2.3"), sel("2")); err != nil {
			t.Fatal(err)
		}
		w.wantJoined(t, "239.1.2.3 on a")
	})
}

// Two selectors may mean one interface: the kernel has one entry, and it stays until both are gone.
func TestOneInterfaceMeantTwiceIsJoinedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1, "192.0.2.1/24"))
		g := channel("239.1.2.3")
		for _, s := range []string{"a", "2", "192.0.2.1", "*"} {
			if err := w.Join(g, sel(s)); err != nil {
				t.Fatal(err)
			}
			w.wantJoined(t, "239.1.2.3 on a")
		}
		w.become(eth(2, "a", 2, "192.0.2.1/24"))
		w.wantJoined(t, "239.1.2.3 on a")
		for _, s := range []string{"2", "a", "*"} {
			if err := w.Leave(g, sel(s)); err != nil {
				t.Fatal(err)
			}
			w.wantJoined(t, "239.1.2.3 on a")
		}
		w.become(eth(2, "a", 2))
		w.wantJoined(t)
	})
}

// An interface that looks the same may have been deleted and made anew while the news were lost.
func TestAllIsJoinedAgainAfterNewsWereLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1), eth(3, "b", 2))
		if err := errors.Join(
			w.Join(channel("239.1.2.3"), All()), w.Join(channel("232.1.1.1", "192.0.2.9"), All()), w.SetOutgoing(sel("a")),
		); err != nil {
			t.Fatal(err)
		}
		w.lost++
		w.become(eth(2, "a", 1), eth(3, "b", 2))
		w.wantJoined(t, "192.0.2.9 → 232.1.1.1 on a", "192.0.2.9 → 232.1.1.1 on b", "239.1.2.3 on a", "239.1.2.3 on b")
		if w.kernel.joins != 8 || w.kernel.leaves != 4 || len(w.kernel.outgoing) != 2 {
			t.Errorf("%d joins, %d leaves, outgoing set %v", w.kernel.joins, w.kernel.leaves, w.kernel.outgoing)
		}
	})
}

func TestJoinWaitsForTheWatcherToTellOfANewInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1))
		w.kernel.have(eth(2, "a", 1), eth(3, "b", 2))
		go func() {
			time.Sleep(100 * time.Millisecond)
			w.watch.put(0, eth(2, "a", 1), eth(3, "b", 2))
		}()
		begun := time.Now()
		if err := w.Join(channel("239.1.2.3"), sel("b")); err != nil {
			t.Error(err)
		}
		if d := time.Since(begun); d != 100*time.Millisecond {
			t.Errorf("joined after %v", d)
		}
		begun = time.Now()
		if err := w.Join(channel("239.1.2.3"), sel("c")); !errors.Is(err, netif.ErrNoInterface) {
			t.Error(err)
		}
		if d := time.Since(begun); d != settle {
			t.Errorf("refused after %v", d)
		}
	})
}

func TestTakesWhatIsJoinedWhereItIsJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1), eth(3, "b", 2))
		if err := errors.Join(w.Join(channel("ff02::fb"), sel("a")), w.Join(channel("ff32::1", "fe80::9"), sel("b"))); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			group, source string
			index         int
			want          bool
		}{
			{"ff02::fb", "fe80::9", 2, true},
			{"ff02::fb", "2001:db8::9", 2, true},
			{"ff02::fb", "fe80::9", 3, false},
			{"ff02::fc", "fe80::9", 2, false},
			{"ff32::1", "fe80::9", 3, true},
			{"ff32::1", "fe80::8", 3, false},
			{"ff32::1", "fe80::9", 2, false},
		} {
			c := channel(tc.group, tc.source)
			if got := w.Takes(c.Group, c.Source, tc.index); got != tc.want {
				t.Errorf("%s on %d: %v", c, tc.index, got)
			}
		}
	})
}

func TestNothingIsFollowedAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1))
		if err := w.Join(channel("239.1.2.3"), All()); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Close(), w.Close()); err != nil {
			t.Error(err)
		}
		if err := w.Join(channel("239.1.2.4"), All()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Join after Close: %v", err)
		}
		if len(w.kernel.all()) != 1 {
			t.Error("Close leaves groups, which the end of the socket does")
		}
	})
}
