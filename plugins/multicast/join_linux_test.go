package multicast_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/multicast"
)

// MC-02: a third socket, on the interface that is left out, makes the host take the group there, and the kernel would
// give it to every IPv6 socket that joined it anywhere.
func TestGroupIsHeardOnExactlyTheJoinedInterfaces(t *testing.T) {
	r, s := pair(t, 3)
	for _, tc := range []struct{ name, group, interfaces string }{
		{"IPv4 by names", "224.0.0.200", "r0,r2"},
		{"IPv4 by addresses", "239.1.2.3", "192.0.2.1,203.0.113.1"},
		{"IPv4 by index and name", "239.1.2.3", fmt.Sprintf("r2,%d", interfaceIndex(t, r, "r0"))},
		{"IPv6 by names", "ff02::4242", "r0,r2"},
		{"IPv6 by addresses", "ff15::4242", "2001:db8:0::1,2001:db8:2::1"},
		{"IPv6 by index and name", "ff02::4242", fmt.Sprintf("r2,%d", interfaceIndex(t, r, "r0"))},
	} {
		t.Run(tc.name, func(t *testing.T) { wantHeardOn02(t, r, s, tc.group, tc.interfaces) })
	}
}

func wantHeardOn02(t *testing.T, r, s *testenv.Netns, group, interfaces string) {
	c := listen(t, r, "multicast:7777:%s:%s", group, interfaces)
	other := listen(t, r, "multicast:7777:%s:r1", group)
	all := listen(t, r, "multicast:7777:%s:*", group)
	for i := range 3 {
		dial(t, s, "multicast:7777:%s:s%d", group, i).say(t, fmt.Sprint("link ", i))
	}
	for range 2 {
		text, from := c.hear(t)
		if text != "link 0" && text != "link 2" {
			t.Errorf("heard %q", text)
			continue
		}
		index := interfaceIndex(t, r, "r"+text[len("link "):])
		if from.Interface != index || from.Local != netip.MustParseAddr(group) {
			t.Errorf("%q came to %s on interface %d, want %d", text, from.Local, from.Interface, index)
		}
	}
	other.wantHears(t, "link 1")
	all.wantHears(t, "link 0", "link 1", "link 2")
	for _, c := range []*conn{c, other, all} {
		c.wantSilence(t)
	}
}

func interfaceIndex(t testing.TB, ns *testenv.Netns, name string) int {
	t.Helper()
	var i *net.Interface
	var err error
	ns.Do(func() { i, err = net.InterfaceByName(name) })
	if err != nil {
		t.Fatal(err)
	}
	return i.Index
}

// MC-01
func TestSocketsOnOnePortHearTheirOwnGroupsOnly(t *testing.T) {
	for _, groups := range [][2]string{{"239.1.2.3", "239.1.2.4"}, {"ff15::1", "ff15::2"}} {
		r, s := pair(t, 1)
		a := listen(t, r, "multicast:7777:%s:r0", groups[0])
		b := listen(t, r, "multicast:7777:%s:r0", groups[1])
		for _, g := range groups {
			dial(t, s, "multicast:7777:%s:s0", g).say(t, g)
		}
		a.wantHears(t, groups[0])
		b.wantHears(t, groups[1])
		a.wantSilence(t)
		b.wantSilence(t)
	}
}

func TestReceiversOnOneHostAllHear(t *testing.T) {
	forFamilies(t, func(t *testing.T, _, far string) {
		r, s := pair(t, 1)
		var receivers []*conn
		for range 3 {
			receivers = append(receivers, listen(t, r, "multicast:7777:%s:r0", far))
		}
		dial(t, s, "multicast:7777:%s:s0", far).say(t, "to all")
		for _, c := range receivers {
			c.wantHears(t, "to all")
		}
		alone := listen(t, s, "multicast:7777:%s:s0:reuse=no", far)
		if _, err := open(s, describe("multicast:7777:%s:s0", far), true); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("beside reuse=no: %v", err)
		}
		_ = alone.Close()
	})
}

// MC-04: three hosts, of which one is the switch between a receiver and two senders. RFC 4607
func TestSourceSpecificMembershipHearsOneOfTwoSenders(t *testing.T) {
	for group, sources := range map[string][2]string{
		"232.1.1.1": {"192.0.2.11", "192.0.2.12"},
		"ff3e::1":   {"2001:db8::11", "2001:db8::12"},
	} {
		t.Run(group, func(t *testing.T) {
			r, senders := star(t)
			c := listen(t, r, "multicast:7777:%s:eth0:source=%s", group, sources[0])
			both := listen(t, r, "multicast:7777:%s:eth0:source=[%s,%s]", group, plain(sources[0]), plain(sources[1]))
			var out []*conn
			for n, ns := range senders {
				out = append(out, dial(t, ns, "multicast:7777:%s:eth0", group))
				out[n].say(t, sources[n])
			}
			c.wantHears(t, sources[0])
			both.wantHears(t, sources[0], sources[1])
			if err := c.JoinSourceGroup(netip.MustParseAddr(group), netip.MustParseAddr(sources[1]), "eth0"); err != nil {
				t.Fatal(err)
			}
			if err := c.LeaveSourceGroup(netip.MustParseAddr(group), netip.MustParseAddr(sources[0]), "eth0"); err != nil {
				t.Fatal(err)
			}
			out[0].say(t, "the first again")
			out[1].say(t, "the second again")
			c.wantHears(t, "the second again")
			c.wantSilence(t)
		})
	}
}

// plain keeps describe from putting brackets around an address within brackets.
type plain string

// star is a receiver and two senders on one link, each with eth0; the receiver is host 1, the others 11 and 12.
func star(t testing.TB) (r *testenv.Netns, senders [2]*testenv.Netns) {
	t.Helper()
	sw := testenv.NewNetns(t)
	sw.IP("link add br0 type bridge mcast_snooping 0")
	sw.IP("link set br0 up")
	join := func(number int) *testenv.Netns {
		ns := testenv.NewNetns(t)
		name := fmt.Sprint("p", number)
		sw.Veth(name, ns, "eth0")
		sw.IP("link set " + name + " master br0")
		ns.IP(fmt.Sprintf("addr add 192.0.2.%d/24 dev eth0", number))
		ns.IP(fmt.Sprintf("addr add 2001:db8::%d/64 dev eth0 nodad", number))
		return ns
	}
	return join(1), [2]*testenv.Netns{join(11), join(12)}
}

// LI-14: two peers that have one link-local address on two links are two peers.
func TestSendersWithOneAddressAreToldApartByZone(t *testing.T) {
	r, s := pair(t, 2)
	for _, name := range []string{"s0", "s1"} {
		s.IP("addr flush dev " + name)
		s.IP("addr add fe80::1/64 dev " + name + " nodad")
	}
	c := listen(t, r, "multicast:7777:[ff02::4242]:*")
	var peers [2]*conn
	for i := range peers {
		peers[i] = dial(t, s, "multicast:7777:[ff02::4242]:s%d", i)
		peers[i].say(t, fmt.Sprint(i))
	}
	for range peers {
		text, from := c.hear(t)
		if from.Addr() != netip.MustParseAddr("fe80::1%r"+text) {
			t.Errorf("%q is from %s", text, from)
		}
		c.answer(t, "answer to "+text, from)
	}
	for i, p := range peers {
		p.wantHears(t, fmt.Sprint("answer to ", i))
		p.wantSilence(t)
	}
}

// A client's source is the other end of a receiver's.
func TestClientSendsFromTheSourceThatIsHeard(t *testing.T) {
	for group, sources := range map[string][2]string{
		"232.1.1.1": {"192.0.2.2", "192.0.2.22"},
		"ff3e::1":   {"2001:db8:0::2", "2001:db8::22"},
		"ff32::1":   {"2001:db8:0::2", "fe80::22"},
	} {
		r, s := pair(t, 1)
		s.IP("addr add 192.0.2.22/24 dev s0")
		s.IP("addr add 2001:db8::22/64 dev s0 nodad")
		s.IP("addr add fe80::22/64 dev s0 nodad")
		c := listen(t, r, "multicast:7777:%s:r0:source=%s", group, sources[1])
		for _, source := range sources {
			dial(t, s, "multicast:7777:%s:s0:source=%s", group, source).say(t, source)
		}
		c.wantHears(t, sources[1])
		c.wantSilence(t)
		foreign := dial(t, s, "multicast:7777:%s:s0:source=%s", group, sources[1][:len(sources[1])-1]+"9")
		if _, err := foreign.Write([]byte("x")); err == nil {
			t.Errorf("%s is sent from an address that is not the host's", group)
		}
	}
}

func TestGroupsAreJoinedAndLeftByHand(t *testing.T) {
	forFamilies(t, func(t *testing.T, near, far string) {
		r, s := pair(t, 2)
		c := listen(t, r, "multicast:7777:%s:r0", far)
		g := netip.MustParseAddr(near)
		if err := errors.Join(c.JoinGroup(g, "r0"), c.JoinGroup(g, "*")); err != nil {
			t.Fatal(err)
		}
		want := []multicast.Membership{
			{Group: g, Interface: "r0", Index: interfaceIndex(t, r, "r0")},
			{Group: g, Interface: "r1", Index: interfaceIndex(t, r, "r1")},
			{Group: netip.MustParseAddr(far), Interface: "r0", Index: interfaceIndex(t, r, "r0")},
		}
		if got := c.Groups(); !slices.Equal(got, want) {
			t.Errorf("groups %v, want %v", got, want)
		}
		out := dial(t, s, "multicast:7777:%s:s1", near)
		out.say(t, "while joined")
		c.wantHears(t, "while joined")
		out.say(t, "left before it is read")
		if err := c.LeaveGroup(g, "*"); err != nil {
			t.Error(err)
		}
		out.say(t, "after")
		c.wantSilence(t)
		if err := c.LeaveGroup(g, ""); err != nil {
			t.Error(err)
		}
		if err := c.LeaveGroup(g, ""); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("leave once more: %v", err)
		}
		if got := c.on(near); got != nil {
			t.Errorf("still on %q", got)
		}
		wantJoinErrors(t, c, near, far)
	})
}

func wantJoinErrors(t *testing.T, c *conn, near, far string) {
	t.Helper()
	specific, otherFamily, source := "232.1.1.1", "ff02::1", "192.0.2.2"
	if netip.MustParseAddr(near).Is6() {
		specific, otherFamily, source = "ff3e::1", "224.0.0.1", "2001:db8::2"
	}
	for _, tc := range []struct {
		group, source, on string
		want              error
	}{
		{near, "", "nosuch", multicast.ErrNoInterface},
		{near, "", "r0 r1", multicast.ErrNoInterface},
		{near, "", otherFamily, multicast.ErrNoInterface},
		{far, "", "r0", syscall.EADDRINUSE},
		{far, source, "r0", syscall.EADDRINUSE},
		{specific, "", "r0", syscall.EINVAL},
		{source, "", "r0", syscall.EINVAL},
		{specific, near, "r0", syscall.EINVAL},
		{otherFamily, "", "r0", syscall.EAFNOSUPPORT},
	} {
		g := netip.MustParseAddr(tc.group)
		err := c.JoinGroup(g, tc.on)
		if tc.source != "" {
			err = c.JoinSourceGroup(g, netip.MustParseAddr(tc.source), tc.on)
		}
		var op *net.OpError
		if !errors.Is(err, tc.want) || !errors.As(err, &op) || op.Op != "join" {
			t.Errorf("%+v: %v", tc, err)
		}
	}
}
