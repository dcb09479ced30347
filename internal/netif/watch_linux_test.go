package netif

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/epctl/endpoint/internal/testenv"
)

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
