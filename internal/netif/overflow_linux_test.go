package netif

import (
	"fmt"
	"os"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// LI-12
func TestThousandFlapsConverge(t *testing.T) {
	ns, _ := pair(t)
	w := watchIn(t, ns)
	descriptors := countDescriptors(t)
	inside(t, ns, func() error { return flap(1000) })
	ns.IP("addr add 192.0.2.77/24 dev v0")
	await(t, w, "the last address", has("v0", "192.0.2.77", 0, 0))
	awaitSystem(t, w, ns)
	if now := countDescriptors(t); now != descriptors {
		t.Errorf("%d descriptors, were %d", now, descriptors)
	}
}

// flap adds and removes addresses of v0, takes it down and up, and makes and deletes another link, n times in all.
func flap(n int) error {
	v0, err := netlink.LinkByName("v0")
	if err != nil {
		return err
	}
	for n := range n {
		address, err := netlink.ParseAddr(fmt.Sprintf("2001:db8::%x/64", 1+n%7))
		if err != nil {
			return err
		}
		address.Flags = unix.IFA_F_NODAD
		steps := []func() error{
			func() error { return netlink.AddrReplace(v0, address) },
			func() error { return netlink.AddrDel(v0, address) },
		}
		if n%20 == 0 {
			another := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "w0"}, PeerName: "w1"}
			steps = append(steps,
				func() error { return netlink.LinkSetDown(v0) },
				func() error { return netlink.LinkSetUp(v0) },
				func() error { return netlink.LinkAdd(another) },
				func() error { return netlink.LinkDel(another) })
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
	}
	return nil
}

func countDescriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// LI-12
func TestOverflowIsMadeUpFor(t *testing.T) {
	ns, _ := pair(t)
	var s *netlinkSource
	inside(t, ns, func() (err error) {
		s, err = newNetlinkSource(1)
		return err
	})
	// Nobody reads now: the news of phantom fit into the queue, those of its deletion do not.
	ns.IP("link add phantom type bridge")
	inside(t, ns, func() error { return flap(50) })
	ns.IP("link del phantom")
	w, err := watch(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	got := await(t, w, "a loss", func(s Snapshot) bool { return s.Lost > 0 })
	if _, ok := got.ByName("phantom"); ok {
		t.Error("a deleted interface is there because of an event from before the loss")
	}
	awaitSystem(t, w, ns)
	ns.IP("addr add 192.0.2.1/24 dev v0")
	await(t, w, "an address added after the loss", has("v0", "192.0.2.1", 0, 0))
	awaitSystem(t, w, ns)
}

// LI-12
func TestEventLargerThanTheBufferCountsAsLost(t *testing.T) {
	ns, _ := pair(t)
	var w *Watcher
	inside(t, ns, func() error {
		s, err := newNetlinkSource(eventBuffer)
		if err == nil {
			s.buf = s.buf[:32]
			w, err = watch(t.Context(), s)
		}
		return err
	})
	defer func() { _ = w.Close() }()
	ns.IP("addr add 192.0.2.1/24 dev v0")
	await(t, w, "the address and a loss", func(s Snapshot) bool { return s.Lost > 0 && has("v0", "192.0.2.1", 0, 0)(s) })
	awaitSystem(t, w, ns)
}

// LI-12
func TestOverflowsWhileWatching(t *testing.T) {
	ns, _ := pair(t)
	var w *Watcher
	inside(t, ns, func() error {
		s, err := newNetlinkSource(1)
		if err == nil {
			w, err = watch(t.Context(), s)
		}
		return err
	})
	defer func() { _ = w.Close() }()
	for round := range 5 {
		inside(t, ns, func() error { return flap(100) })
		ns.IP(fmt.Sprintf("addr add 192.0.2.%d/24 dev v0", 1+round))
		awaitSystem(t, w, ns)
	}
}
