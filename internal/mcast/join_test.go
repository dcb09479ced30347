package mcast

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/netif"
)

func TestWhatCantBeJoinedIsToldOnceAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1))
		if err := w.Join(channel("239.1.2.3"), All()); err != nil {
			t.Fatal(err)
		}
		w.events()
		full := true
		w.kernel.fail = func(index int, _ Channel) error {
			if full && index == 3 {
				return syscall.ENOBUFS
			}
			return nil
		}
		w.become(eth(2, "a", 1), eth(3, "b", 2), eth(4, "c", 3))
		w.wantJoined(t, "239.1.2.3 on a", "239.1.2.3 on c")
		time.Sleep(5 * retryAfter)
		// MC-05
		wantLines(t, "events", w.events(),
			"can't join 239.1.2.3 on b (index 3): the limit is the sysctl net.ipv4.igmp_max_memberships (groups of a socket): no buffer space available",
			"joined 239.1.2.3 on c (index 4)")
		w.kernel.mu.Lock()
		full = false
		w.kernel.mu.Unlock()
		time.Sleep(retryAfter)
		synctest.Wait()
		w.wantJoined(t, "239.1.2.3 on a", "239.1.2.3 on b", "239.1.2.3 on c")
		joins := w.kernel.joins
		time.Sleep(time.Minute)
		if w.kernel.joins != joins {
			t.Error("what is joined is joined again")
		}
	})
}

func TestJoinThatFailsOnOneInterfaceJoinsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1), eth(3, "b", 2), eth(4, "c", 3))
		w.kernel.fail = func(index int, _ Channel) error {
			if index == 4 {
				return syscall.ENOBUFS
			}
			return nil
		}
		err := w.Join(channel("239.1.2.3"), All())
		if !errors.Is(err, syscall.ENOBUFS) {
			t.Errorf("%v", err)
		}
		w.wantJoined(t)
		w.become(eth(2, "a", 1), eth(3, "b", 2))
		w.wantJoined(t)
		if err := w.Join(channel("239.1.2.3"), All()); err != nil {
			t.Error(err)
		}
		w.wantJoined(t, "239.1.2.3 on a", "239.1.2.3 on b")
	})
}

// An interface without IPv6 is none of all interfaces for an IPv6 group, until it has it.
func TestInterfaceWithoutIPv6KeepsNoOtherFromBeingJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, eth(2, "a", 1), eth(3, "b", 2))
		tries := 0
		w.kernel.fail = func(index int, _ Channel) error {
			if index == 3 && w.kernel.devices[3] == 2 {
				tries++
				return syscall.EINVAL
			}
			return nil
		}
		if err := w.Join(channel("ff02::fb"), sel("b")); !errors.Is(err, errNoIPv6) {
			t.Errorf("by name: %v", err)
		}
		if err := w.Join(channel("ff02::fb"), All()); err != nil {
			t.Fatal(err)
		}
		w.wantJoined(t, "ff02::fb on a")
		wantLines(t, "events", w.events(), "joined ff02::fb on a (index 2)",
			"can't join ff02::fb on b (index 3): the interface does no IPv6: invalid argument")
		w.become(eth(2, "a", 1), eth(3, "b", 2), eth(4, "c", 3))
		w.wantJoined(t, "ff02::fb on a", "ff02::fb on c")
		before := tries
		time.Sleep(time.Minute)
		if tries != before {
			t.Errorf("tried %d times in a minute", tries-before)
		}
		w.become(eth(2, "a", 1), eth(3, "b", 9))
		w.wantJoined(t, "ff02::fb on a", "ff02::fb on b")
		if err := w.Leave(channel("ff02::fb"), All()); err != nil {
			t.Error(err)
		}
		w.wantJoined(t)
	})
}

func TestRefusedJoinsAndLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, loopback(), eth(2, "a", 2))
		for _, s := range []string{"a", "lo"} {
			if err := w.Join(channel("239.1.2.3"), sel(s)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Join(channel("232.1.1.1", "192.0.2.9"), sel("a")); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			do   func(Channel, Selector) error
			c    Channel
			on   string
			want error
		}{
			{w.Join, channel("239.1.2.3"), "a", syscall.EADDRINUSE},
			{w.Join, channel("239.1.2.3", "192.0.2.9"), "a", syscall.EADDRINUSE},
			{w.Join, channel("232.1.1.1"), "2", syscall.EADDRINUSE},
			{w.Join, channel("239.1.2.3"), "b", netif.ErrNoInterface},
			{w.Join, channel("239.1.2.3"), "17", netif.ErrNoInterface},
			{w.Join, channel("239.1.2.3"), "192.0.2.7", netif.ErrNoInterface},
			{w.Leave, channel("239.1.2.3"), "2", syscall.EADDRNOTAVAIL},
			{w.Leave, channel("239.1.2.4"), "a", syscall.EADDRNOTAVAIL},
			{w.Leave, channel("239.1.2.4"), "", syscall.EADDRNOTAVAIL},
			{w.Leave, channel("232.1.1.1"), "", syscall.EADDRNOTAVAIL},
		} {
			if err := tc.do(tc.c, sel(tc.on)); !errors.Is(err, tc.want) {
				t.Errorf("%s on %q: %v, want %v", tc.c, tc.on, err, tc.want)
			}
		}
		if err := w.Join(channel("ff01::1"), sel("a")); err == nil {
			t.Error("an interface-local group is joined on a")
		}
		w.wantJoined(t, "192.0.2.9 → 232.1.1.1 on a", "239.1.2.3 on lo", "239.1.2.3 on a")
		if err := w.Leave(channel("239.1.2.3"), sel("")); err != nil {
			t.Error(err)
		}
		w.wantJoined(t, "192.0.2.9 → 232.1.1.1 on a")
	})
}
