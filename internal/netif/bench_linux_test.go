package netif

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/vishvananda/netlink"
)

// atSizes runs f in a namespace with 1, 10 and 100 veth interfaces, each with an IPv4 and an IPv6 address: what it
// takes must grow linearly at most.
func atSizes(b *testing.B, f func(b *testing.B, ns *testenv.Netns)) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("veth=%d", n), func(b *testing.B) {
			ns, peer := testenv.NewNetns(b), testenv.NewNetns(b)
			inside(b, ns, func() error { return populate(peer, n) })
			b.ReportAllocs()
			f(b, ns)
		})
	}
}

// populate makes n veth interfaces v0, v1, … that lead to peer, with addresses.
func populate(peer *testenv.Netns, n int) error {
	there, err := os.Open("/var/run/netns/" + peer.Name)
	if err != nil {
		return err
	}
	defer func() { _ = there.Close() }()
	for i := range n {
		link := &netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: fmt.Sprintf("v%d", i)},
			PeerName:  fmt.Sprintf("p%d", i), PeerNamespace: netlink.NsFd(there.Fd()),
		}
		if err := netlink.LinkAdd(link); err != nil {
			return err
		}
		if err := addAddresses(link, fmt.Sprintf("10.0.%d.1/24", i), fmt.Sprintf("2001:db8:%x::1/64", i)); err != nil {
			return err
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return err
		}
	}
	return nil
}

func BenchmarkInterfaces(b *testing.B) {
	atSizes(b, func(b *testing.B, ns *testenv.Netns) {
		inside(b, ns, func() error {
			for b.Loop() {
				if _, err := Interfaces(context.Background()); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func BenchmarkZoneIndexAmongMany(b *testing.B) {
	atSizes(b, func(b *testing.B, ns *testenv.Netns) {
		inside(b, ns, func() error {
			for b.Loop() {
				if _, err := ZoneIndex("v0"); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// BenchmarkChange is what a Watcher does for one change, from the system's event to the snapshot and its Diff, without
// the debounce. The change itself, made outside of the clock, is an address added or removed.
func BenchmarkChange(b *testing.B) {
	atSizes(b, func(b *testing.B, ns *testenv.Netns) {
		inside(b, ns, func() error {
			s, err := newNetlinkSource(eventBuffer)
			if err != nil {
				return err
			}
			defer s.release()
			defer s.close()
			return benchmarkChange(b, s)
		})
	})
}

func benchmarkChange(b *testing.B, s *netlinkSource) error {
	list, err := s.list(context.Background())
	if err != nil {
		return err
	}
	w := &Watcher{source: s, changes: make(chan struct{}, 1)}
	w.table.replace(list)
	w.current.Store(&Snapshot{Interfaces: w.table.snapshot()})
	v0, err := netlink.LinkByName("v0")
	if err != nil {
		return err
	}
	address, err := netlink.ParseAddr("192.0.2.1/24")
	if err != nil {
		return err
	}
	change := []func(netlink.Link, *netlink.Addr) error{netlink.AddrAdd, netlink.AddrDel}
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		err := change[n%2](v0, address)
		b.StartTimer()
		if err != nil {
			return err
		}
		if err := oneChange(w); err != nil {
			return err
		}
	}
	return nil
}

func oneChange(w *Watcher) error {
	before := w.Snapshot()
	events, err := w.source.receive(time.Now().Add(patience))
	if err != nil {
		return err
	}
	for _, e := range events {
		w.note(e)
	}
	w.publish()
	if changes := Diff(before, w.Snapshot()); len(changes) != 1 {
		return fmt.Errorf("changes %v", changes)
	}
	return nil
}
