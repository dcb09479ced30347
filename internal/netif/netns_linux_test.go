package netif

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// patience bounds every wait for the kernel. Nothing passes sooner or later because of it.
const patience = 20 * time.Second

// inside runs f in the namespace and fails the test with the error that it returns.
func inside(t testing.TB, ns *testenv.Netns, f func() error) {
	t.Helper()
	var err error
	ns.Do(func() { err = f() })
	if err != nil {
		t.Fatal(err)
	}
}

// watchIn returns a watcher of the namespace.
func watchIn(t testing.TB, ns *testenv.Netns) *Watcher {
	t.Helper()
	var w *Watcher
	inside(t, ns, func() (err error) {
		w, err = Watch(t.Context())
		return err
	})
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func listIn(t testing.TB, ns *testenv.Netns) Snapshot {
	t.Helper()
	var s Snapshot
	inside(t, ns, func() (err error) {
		s, err = Interfaces(context.Background())
		return err
	})
	return s
}

// await waits for a snapshot of which ok is true and returns it.
func await(t testing.TB, w *Watcher, what string, ok func(Snapshot) bool) Snapshot {
	t.Helper()
	timeout := time.After(patience)
	for {
		s := w.Snapshot()
		if ok(s) {
			return s
		}
		select {
		case <-w.Changes():
		case <-timeout:
			t.Fatalf("no snapshot in %v with %s: %+v", patience, what, s)
		}
	}
}

// awaitSystem waits until the watcher has what a list of the moment has.
func awaitSystem(t testing.TB, w *Watcher, ns *testenv.Netns) {
	t.Helper()
	await(t, w, "what the system has", func(s Snapshot) bool {
		return slices.EqualFunc(s.Interfaces, listIn(t, ns).Interfaces, equalButGeneration)
	})
}

func equalButGeneration(a, b Interface) bool {
	a.Generation = b.Generation
	return a.equal(b)
}

// has returns a condition: the interface called name has the address with the flags, of which only those in mask count.
func has(name, address string, flags, mask AddrFlags) func(Snapshot) bool {
	return func(s Snapshot) bool {
		_, a, ok := s.ByAddr(netip.MustParseAddr(address).WithZone(name))
		return ok && a.Flags&mask == flags
	}
}

func hasNot(name, address string) func(Snapshot) bool {
	return func(s Snapshot) bool { return !has(name, address, 0, 0)(s) }
}

// dad switches duplicate address detection on for the interface, which testenv's Veth switches off.
func dad(t testing.TB, ns *testenv.Netns, name string) {
	t.Helper()
	sysctl(t, ns, "net.ipv6.conf."+name+".accept_dad=1")
}

func sysctl(t testing.TB, ns *testenv.Netns, setting string) {
	t.Helper()
	testenv.Tool(t, "sysctl")
	if out, err := ns.Command("sysctl", "-qw", setting).CombinedOutput(); err != nil {
		t.Fatalf("sysctl %s: %v\n%s", setting, err, out)
	}
}

// pair returns two namespaces with a veth between them, v0 in the first and v1 in the second.
func pair(t testing.TB) (ns, peer *testenv.Netns) {
	t.Helper()
	ns, peer = testenv.NewNetns(t), testenv.NewNetns(t)
	ns.Veth("v0", peer, "v1")
	return ns, peer
}

// LI-12
func TestAddressAddedAndRemoved(t *testing.T) {
	ns, _ := pair(t)
	w := watchIn(t, ns)
	for _, c := range []struct {
		add, address string
		want         Address
	}{
		{"192.0.2.1/24 dev v0", "192.0.2.1", Address{Prefix: netip.MustParsePrefix("192.0.2.1/24"), Flags: Permanent}},
		{"192.0.2.2/24 dev v0", "192.0.2.2", Address{Prefix: netip.MustParsePrefix("192.0.2.2/24"), Flags: Permanent | Secondary}},
		{"198.51.100.1 peer 198.51.100.2/32 dev v0 scope link", "198.51.100.1", Address{
			Prefix: netip.MustParsePrefix("198.51.100.1/32"), Peer: netip.MustParseAddr("198.51.100.2"), Scope: Link, Flags: Permanent,
		}},
		{"2001:db8::1/64 dev v0 nodad", "2001:db8::1", Address{Prefix: netip.MustParsePrefix("2001:db8::1/64"), Flags: Permanent}},
		{"2001:db8::2 peer 2001:db8::3/128 dev v0 nodad", "2001:db8::2", Address{
			Prefix: netip.MustParsePrefix("2001:db8::2/128"), Peer: netip.MustParseAddr("2001:db8::3"), Flags: Permanent,
		}},
		{"fe80::5/64 dev v0 nodad", "fe80::5", Address{Prefix: netip.MustParsePrefix("fe80::5/64"), Scope: Link, Flags: Permanent}},
		{"2001:db8::4/64 dev v0 nodad valid_lft 1000 preferred_lft 0", "2001:db8::4",
			Address{Prefix: netip.MustParsePrefix("2001:db8::4/64"), Flags: Deprecated}},
	} {
		ns.IP("addr add " + c.add)
		s := await(t, w, c.add, has("v0", c.address, 0, 0))
		if _, got, _ := s.ByAddr(netip.MustParseAddr(c.address)); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.add, got, c.want)
		}
	}
	awaitSystem(t, w, ns)
	ns.IP("addr flush dev v0")
	await(t, w, "no address", func(s Snapshot) bool { i, _ := s.ByName("v0"); return len(i.Addrs) == 0 })
	if w.Snapshot().Lost != 0 {
		t.Errorf("lost %d", w.Snapshot().Lost)
	}
}

// LI-13: the address stays tentative for as long as there is no carrier.
func TestTentativeAddressBecomesUsable(t *testing.T) {
	ns, peer := pair(t)
	dad(t, ns, "v0")
	peer.IP("link set v1 down")
	w := watchIn(t, ns)
	ns.IP("addr add 2001:db8::1/64 dev v0")
	tentative := await(t, w, "the address tentative", has("v0", "2001:db8::1", Tentative, Tentative|DADFailed))
	if _, a, _ := tentative.ByAddr(netip.MustParseAddr("2001:db8::1")); a.Usable() {
		t.Errorf("%v is usable", a)
	}
	peer.IP("link set v1 up")
	usable := await(t, w, "the address usable", has("v0", "2001:db8::1", 0, Tentative|DADFailed))
	want := "v0: 2001:db8::1/64 global permanent, was 2001:db8::1/64 global tentative permanent"
	if lines := texts(Diff(tentative, usable)); !slices.Contains(lines, want) {
		t.Errorf("changes %q, want among them %q", lines, want)
	}
	inside(t, ns, func() error {
		l, err := net.Listen("tcp6", "[2001:db8::1]:0")
		if err != nil {
			return err
		}
		return l.Close()
	})
}

// LI-13
func TestAddressThatAnotherNodeHasIsNotUsable(t *testing.T) {
	ns, peer := pair(t)
	dad(t, ns, "v0")
	peer.IP("addr add 2001:db8::1/64 dev v1 nodad")
	w := watchIn(t, ns)
	ns.IP("addr add 2001:db8::1/64 dev v0")
	s := await(t, w, "the address dadfailed", has("v0", "2001:db8::1", DADFailed, DADFailed))
	if _, a, _ := s.ByAddr(netip.MustParseAddr("2001:db8::1")); a.Usable() {
		t.Errorf("%v is usable", a)
	}
}

// LI-13
func TestTemporaryAddressIsToldApart(t *testing.T) {
	ns, _ := pair(t)
	w := watchIn(t, ns)
	sysctl(t, ns, "net.ipv6.conf.v0.use_tempaddr=2")
	ns.IP("addr add 2001:db8::1/64 dev v0 nodad mngtmpaddr valid_lft 3600 preferred_lft 1800")
	await(t, w, "a temporary address", func(s Snapshot) bool {
		i, _ := s.ByName("v0")
		return slices.ContainsFunc(i.Addrs, func(a Address) bool { return a.Flags&Temporary != 0 })
	})
}

// LI-12, MC-02
func TestLinkDeletedAndMadeAnew(t *testing.T) {
	ns, other := testenv.NewNetns(t), testenv.NewNetns(t)
	w := watchIn(t, ns)
	there := func(s Snapshot) bool { i, ok := s.ByName("v0"); return ok && i.Up() && i.Flags&net.FlagRunning != 0 }
	last := w.Snapshot()
	for round, c := range []struct {
		name, add string
		del       func()
	}{
		{"first", "link add v0 type veth peer name v1", func() { ns.IP("link del v0") }},
		{"another index", "link add v0 type veth peer name v1", func() { ns.IP("link del v0") }},
		{"a given index", "link add v0 index 77 type veth peer name v1 index 78", func() { ns.IP("link del v0") }},
		{"the same index", "link add v0 index 77 type veth peer name v1 index 78", func() {
			ns.IP("link set v0 netns " + other.Name)
			other.IP("link set v0 netns " + ns.Name)
		}},
		{"back from another namespace", "link set v0 mtu 1400", func() { ns.IP("link del v0") }},
	} {
		ns.IP(c.add)
		ns.IP("link set v0 up")
		if round < 4 {
			ns.IP("link set v1 up")
		}
		now := await(t, w, "v0 up: "+c.name, func(s Snapshot) bool {
			i, _ := s.ByName("v0")
			was, _ := last.ByName("v0")
			return there(s) && (i.Index != was.Index || i.Generation != was.Generation)
		})
		last = now
		c.del()
	}
	await(t, w, "no v0", func(s Snapshot) bool { _, ok := s.ByName("v0"); return !ok })
	awaitSystem(t, w, ns)
}

// LI-12
func TestLinkRenamed(t *testing.T) {
	ns, _ := pair(t)
	ns.IP("addr add 192.0.2.1/24 dev v0")
	w := watchIn(t, ns)
	before := w.Snapshot()
	ns.IP("link set v0 down")
	ns.IP("link set v0 name lan0")
	ns.IP("link set lan0 up")
	now := await(t, w, "lan0 up", func(s Snapshot) bool { i, ok := s.ByName("lan0"); return ok && i.Up() })
	was, _ := before.ByName("v0")
	is, _ := now.ByName("lan0")
	if is.Index != was.Index || is.Generation != was.Generation || !has("lan0", "192.0.2.1", 0, 0)(now) {
		t.Errorf("was %+v, is %+v", was, is)
	}
}

// MC-03
func TestLinkDownAndUp(t *testing.T) {
	ns, _ := pair(t)
	ns.IP("addr add 192.0.2.1/24 dev v0")
	ns.IP("addr add 2001:db8::1/64 dev v0 nodad")
	w := watchIn(t, ns)
	await(t, w, "the address", has("v0", "2001:db8::1", 0, Tentative))
	before, _ := w.Snapshot().ByName("v0")
	ns.IP("link set v0 down")
	await(t, w, "v0 down, without IPv6", func(s Snapshot) bool {
		i, _ := s.ByName("v0")
		return !i.Up() && !i.Multicast() && has("v0", "192.0.2.1", 0, 0)(s) && hasNot("v0", "2001:db8::1")(s)
	})
	ns.IP("link set v0 up")
	s := await(t, w, "v0 up, link-local address", func(s Snapshot) bool {
		i, _ := s.ByName("v0")
		return i.Multicast() && slices.ContainsFunc(i.Addrs, func(a Address) bool { return a.Scope == Link && a.Usable() })
	})
	after, _ := s.ByName("v0")
	if after.Generation != before.Generation {
		t.Error("down and up makes another generation")
	}
}

// MC-02
func TestMTUBelowWhatIPv6NeedsMakesAnotherGeneration(t *testing.T) {
	ns, _ := pair(t)
	w := watchIn(t, ns)
	before, _ := w.Snapshot().ByName("v0")
	ns.IP("link set v0 mtu 1000")
	ns.IP("link set v0 mtu 1500")
	await(t, w, "another generation", func(s Snapshot) bool {
		i, _ := s.ByName("v0")
		return i.MTU == 1500 && i.Generation != before.Generation
	})
}

// A bridge tells of a port that leaves it by an RTM_DELLINK.
func TestPortLeavingABridgeIsStillThere(t *testing.T) {
	ns, _ := pair(t)
	ns.IP("link add br0 type bridge")
	ns.IP("link add link v0 name mv0 type macvlan mode bridge")
	w := watchIn(t, ns)
	before, _ := w.Snapshot().ByName("v0")
	ns.IP("link del mv0")
	ns.IP("link set v0 master br0")
	ns.IP("link set v0 nomaster")
	ns.IP("addr add 192.0.2.9/24 dev v0")
	s := await(t, w, "the address", has("v0", "192.0.2.9", 0, 0))
	if after, _ := s.ByName("v0"); after.Generation != before.Generation {
		t.Error("leaving a bridge makes another generation")
	}
	awaitSystem(t, w, ns)
}

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
	defer w.Close() //nolint:errcheck // always nil
	got := await(t, w, "a loss", func(s Snapshot) bool { return s.Lost == 1 })
	if _, ok := got.ByName("phantom"); ok {
		t.Error("a deleted interface is there because of an event from before the loss")
	}
	awaitSystem(t, w, ns)
	ns.IP("addr add 192.0.2.1/24 dev v0")
	await(t, w, "an address added after the loss", has("v0", "192.0.2.1", 0, 0))
	awaitSystem(t, w, ns)
	if got := w.Snapshot().Lost; got != 1 {
		t.Errorf("lost %d", got)
	}
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
	defer w.Close() //nolint:errcheck // always nil
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
	defer w.Close() //nolint:errcheck // always nil
	for round := range 5 {
		inside(t, ns, func() error { return flap(100) })
		ns.IP(fmt.Sprintf("addr add 192.0.2.%d/24 dev v0", 1+round))
		awaitSystem(t, w, ns)
	}
}

// Many links and addresses take several parts of a list, and are what package netlink finds as well.
func TestListAgreesWithAnotherImplementation(t *testing.T) {
	ns, _ := pair(t)
	inside(t, ns, func() error { return populate(60, 20) })
	list := listIn(t, ns)
	if len(list.Interfaces) != 2+2*60 {
		t.Errorf("%d interfaces", len(list.Interfaces))
	}
	inside(t, ns, func() error {
		links, err := netlink.LinkList()
		if err != nil {
			return err
		}
		for n, link := range links {
			if err := compareWith(list.Interfaces[n], link); err != nil {
				return err
			}
		}
		return nil
	})
}

// populate makes pairs veth links in the namespace, both ends up, and gives each first end IPv4 and IPv6 addresses.
func populate(pairs, addresses int) error {
	for n := range pairs {
		link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: fmt.Sprintf("w%d", n)}, PeerName: fmt.Sprintf("x%d", n)}
		if err := netlink.LinkAdd(link); err != nil {
			return err
		}
		for a := range addresses {
			text := fmt.Sprintf("10.%d.%d.1/24", n, a)
			if a%2 == 0 {
				text = fmt.Sprintf("2001:db8:%x:%x::1/64", n, a)
			}
			address, err := netlink.ParseAddr(text)
			if err != nil {
				return err
			}
			if err := netlink.AddrAdd(link, address); err != nil {
				return err
			}
		}
	}
	return nil
}

func compareWith(i Interface, link netlink.Link) error {
	attrs := link.Attrs()
	if i.Index != attrs.Index || i.Name != attrs.Name || i.MTU != attrs.MTU || i.Up() != (attrs.RawFlags&unix.IFF_UP != 0) {
		return fmt.Errorf("%+v is %+v", i, attrs)
	}
	addrs, err := netlink.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return err
	}
	if len(addrs) != len(i.Addrs) {
		return fmt.Errorf("%s has %d addresses, want %d", i.Name, len(i.Addrs), len(addrs))
	}
	for _, a := range addrs {
		want, ones := a.IP, 0
		ones, _ = a.Mask.Size()
		found := slices.ContainsFunc(i.Addrs, func(have Address) bool {
			return have.Prefix.Addr().String() == want.String() && have.Prefix.Bits() == ones && int(have.Scope) == a.Scope &&
				(have.Flags&Tentative != 0) == (a.Flags&unix.IFA_F_TENTATIVE != 0)
		})
		if !found {
			return fmt.Errorf("%s has not %v: %v", i.Name, a, i.Addrs)
		}
	}
	return nil
}

// MC-02, LI-14: package net names the old index for up to a minute.
func TestZoneIndexIsFreshAfterAnInterfaceWasMadeAnew(t *testing.T) {
	ns := testenv.NewNetns(t)
	index := func(zone string) (index int) {
		inside(t, ns, func() (err error) {
			index, err = ZoneIndex(zone)
			return err
		})
		return index
	}
	for want := 100; want < 105; want++ {
		ns.IP(fmt.Sprintf("link add v0 index %d type bridge", want))
		if got := index("v0"); got != want {
			t.Errorf("ZoneIndex(v0) = %d, want %d", got, want)
		}
		ns.IP("link del v0")
	}
}

// LI-14, RFC 4007 section 11.2
func TestZoneIndexTakesAlternativeNamesAndNamesOfDigits(t *testing.T) {
	ns := testenv.NewNetns(t)
	ns.IP("link add 7 index 40 type bridge")
	ns.IP("link add b0 index 41 type bridge")
	long := "an-alternative-name-that-is-longer-than-a-name-may-be"
	ns.IP("link property add dev b0 altname short altname " + long)
	for zone, want := range map[string]int{"7": 40, "40": 40, "b0": 41, "short": 41, long: 41, "41": 41} {
		inside(t, ns, func() error {
			if got, err := ZoneIndex(zone); err != nil || got != want {
				return fmt.Errorf("ZoneIndex(%s) = %d, %v, want %d", zone, got, err, want)
			}
			return nil
		})
	}
}

// LI-14
func TestUnknownZoneListsTheInterfacesOfTheNamespace(t *testing.T) {
	ns, _ := pair(t)
	inside(t, ns, func() error {
		_, err := ZoneIndex("eth9")
		if want := `no such interface "eth9" (there are: lo, v0)`; err == nil || err.Error() != want {
			return fmt.Errorf("got %v, want %s", err, want)
		}
		return nil
	})
}
