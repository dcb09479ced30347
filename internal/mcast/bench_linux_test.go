package mcast

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/vishvananda/netlink"
)

// groupsJoined is how many groups are joined on each interface. A socket may have 20 memberships with IPv4, so the
// benchmarks use IPv6.
const groupsJoined = 10

// atSizes runs f in a namespace with 1, 10 and 100 veth interfaces, on all of which a socket has joined its groups.
func atSizes(b *testing.B, f func(b *testing.B, s *Socket, all netif.Snapshot, peer *os.File) error) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("veth=%d", n), func(b *testing.B) {
			ns, peer := testenv.NewNetns(b), testenv.NewNetns(b)
			var err error
			ns.Do(func() {
				err = inWorldOf(n, peer, func(s *Socket, all netif.Snapshot, there *os.File) error { return f(b, s, all, there) })
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

func inWorldOf(n int, peer *testenv.Netns, f func(*Socket, netif.Snapshot, *os.File) error) error {
	there, err := os.Open("/var/run/netns/" + peer.Name)
	if err != nil {
		return err
	}
	defer there.Close() //nolint:errcheck // nothing was written
	for i := range n {
		if err := addVeth(i, there); err != nil {
			return err
		}
	}
	s, err := Open(context.Background(), Spec{
		Op: "listen", Remote: netip.MustParseAddrPort("[ff02::4242]:7777"),
		Interfaces: []Selector{All()}, Channels: channels(groupsJoined),
	})
	if err != nil {
		return err
	}
	all, err := netif.Interfaces(context.Background())
	return errors.Join(err, f(s, all, there), s.Close())
}

func addVeth(i int, peer *os.File) error {
	link := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: fmt.Sprint("v", i)},
		PeerName:  fmt.Sprint("p", i), PeerNamespace: netlink.NsFd(peer.Fd()),
	}
	if err := netlink.LinkAdd(link); err != nil {
		return err
	}
	return netlink.LinkSetUp(link)
}

func channels(n int) []Channel {
	var list []Channel
	for g := netip.MustParseAddr("ff02::4242"); len(list) < n; g = g.Next() {
		list = append(list, Channel{Group: g})
	}
	return list
}

// BenchmarkChange is what a socket does for one event, here an interface that goes and comes back: it leaves its groups
// there and joins them, and looks at each interface once.
func BenchmarkChange(b *testing.B) {
	atSizes(b, func(b *testing.B, s *Socket, all netif.Snapshot, _ *os.File) error {
		watch := newFakeWatch(all.Interfaces...)
		m := newMemberships(kernelOf{s.options}, watch, nil)
		defer m.Close() //nolint:errcheck // always nil
		for _, c := range channels(2 * groupsJoined)[groupsJoined:] {
			if err := m.Join(c, All()); err != nil {
				return err
			}
		}
		without := netif.Snapshot{Interfaces: without(all.Interfaces, "v0")}
		b.ReportAllocs()
		for b.Loop() {
			watch.current.Store(&without)
			m.follow()
			watch.current.Store(&all)
			if !m.follow() {
				return errors.New("not all is joined")
			}
		}
		return nil
	})
}

func without(list []netif.Interface, name string) (rest []netif.Interface) {
	for _, i := range list {
		if i.Name != name {
			rest = append(rest, i)
		}
	}
	return rest
}

// BenchmarkReturn is the time from the moment that an interface is there again to the moment that the groups are joined
// on it, the watcher's debounce of 100 ms with it.
func BenchmarkReturn(b *testing.B) {
	atSizes(b, func(b *testing.B, s *Socket, all netif.Snapshot, there *os.File) error {
		want := len(s.Joined())
		var spent time.Duration
		for range b.N {
			v0, err := netlink.LinkByName("v0")
			if err != nil {
				return err
			}
			if err := netlink.LinkDel(v0); err != nil {
				return err
			}
			untilJoined(s, want-groupsJoined)
			if err := addVeth(0, there); err != nil {
				return err
			}
			begun := time.Now()
			untilJoined(s, want)
			spent += time.Since(begun)
		}
		b.ReportMetric(float64(spent.Milliseconds())/float64(b.N), "ms-to-return")
		b.ReportMetric(0, "ns/op")
		return nil
	})
}

func untilJoined(s *Socket, n int) {
	for len(s.Joined()) != n {
		time.Sleep(time.Millisecond)
	}
}
