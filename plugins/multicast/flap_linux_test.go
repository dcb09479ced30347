package multicast_test

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/vishvananda/netlink"
)

// MC-02: after a thousand changes of the link, a tenth of them its end, there is one membership and room for all others
// that the kernel lets a socket have, which are 20 with IPv4.
func TestThousandFlapsLeaveNothingBehind(t *testing.T) {
	forFamilies(t, func(t *testing.T, near, _ string) {
		r, s := pair(t, 1)
		noDAD(t, r, s)
		named := listen(t, r, "multicast:7777:%s:r0", near)
		all := listen(t, r, "multicast:7777:%s:*", near)
		descriptors, goroutines := countDescriptors(t), runtime.NumGoroutine()
		var err error
		r.Do(func() { err = flap(1000, s) })
		if err != nil {
			t.Fatal(err)
		}
		s.IP("link set s0 up")
		for _, c := range []*conn{named, all} {
			c.awaitOn(t, near, "r0")
			wantRoom(t, c, near)
		}
		if now := countDescriptors(t); now != descriptors {
			t.Errorf("%d descriptors, were %d", now, descriptors)
		}
		if now := runtime.NumGoroutine(); now > goroutines {
			t.Errorf("%d goroutines, were %d", now, goroutines)
		}
		untilHeard(t, dial(t, s, "multicast:7777:%s:s0", near), named, "after all")
	})
}

// noDAD makes IPv6 addresses of new interfaces usable at once.
func noDAD(t *testing.T, hosts ...*testenv.Netns) {
	t.Helper()
	for _, ns := range hosts {
		if out, err := ns.Command("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

// flap takes r0 down and up, or makes it anew, n times in all.
func flap(n int, peer *testenv.Netns) error {
	there, err := os.Open("/var/run/netns/" + peer.Name)
	if err != nil {
		return err
	}
	defer there.Close()
	for i := range n {
		r0, err := netlink.LinkByName("r0")
		if err != nil {
			return err
		}
		if i%10 == 0 {
			err = remake(r0, there)
		} else {
			err = errors.Join(netlink.LinkSetDown(r0), netlink.LinkSetUp(r0))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func remake(r0 netlink.Link, peer *os.File) error {
	anew := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: "r0"},
		PeerName:  "s0", PeerNamespace: netlink.NsFd(peer.Fd()),
	}
	return errors.Join(netlink.LinkDel(r0), netlink.LinkAdd(anew), netlink.LinkSetUp(anew))
}

// wantRoom joins as many more groups as an IPv4 socket may have by default, and leaves them.
func wantRoom(t *testing.T, c *conn, joined string) {
	t.Helper()
	var more []netip.Addr
	for g := netip.MustParseAddr(joined).Next(); len(more) < 19; g = g.Next() {
		if err := c.JoinGroup(g, "r0"); err != nil {
			t.Errorf("group number %d: %v", len(more)+2, err)
			return
		}
		more = append(more, g)
	}
	for _, g := range more {
		if err := c.LeaveGroup(g, "r0"); err != nil {
			t.Error(err)
		}
	}
}

func countDescriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
