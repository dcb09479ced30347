package multicast_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/multicast"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// listenHops is a foreign receiver on s0, which tells the hops that a datagram came with.
func listenHops(t *testing.T, ns *testenv.Netns, group string) func() (text string, hops int) {
	t.Helper()
	addr := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(group), 7777))
	var c *net.UDPConn
	var err error
	ns.Do(func() {
		var i *net.Interface
		if i, err = net.InterfaceByName("s0"); err == nil {
			c, err = net.ListenMulticastUDP("udp", i, addr)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	buf := make([]byte, 100)
	if addr.IP.To4() != nil {
		p := ipv4.NewPacketConn(c)
		if err := p.SetControlMessage(ipv4.FlagTTL, true); err != nil {
			t.Fatal(err)
		}
		return func() (string, int) {
			n, cm, _, err := p.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			return string(buf[:n]), cm.TTL
		}
	}
	p := ipv6.NewPacketConn(c)
	if err := p.SetControlMessage(ipv6.FlagHopLimit, true); err != nil {
		t.Fatal(err)
	}
	return func() (string, int) {
		n, cm, _, err := p.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n]), cm.HopLimit
	}
}

// MC-04: 1 is the default; 0 never leaves the host.
func TestHopsArriveAsTheyWereSet(t *testing.T) {
	forFamilies(t, func(t *testing.T, _, far string) {
		r, s := pair(t, 1)
		heard := listenHops(t, s, far)
		local := listen(t, r, "multicast:7777:%s:r0", far)
		dial(t, r, "multicast:7777:%s:r0:hops=0", far).say(t, "hops=0")
		local.wantHears(t, "hops=0")
		dial(t, r, "multicast:7777:%s:r0", far).say(t, "1")
		dial(t, r, "multicast:7777:%s:r0:hops=17", far).say(t, "17")
		listen(t, r, "multicast:0:%s:r0:hops=255", far).sayTo(t, "255", far)
		c := dial(t, r, "multicast:7777:%s:r0", far)
		if err := c.SetHops(42); err != nil {
			t.Fatal(err)
		}
		c.say(t, "42")
		for _, n := range []int{-1, 256} {
			if err := c.SetHops(n); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("%d hops: %v", n, err)
			}
		}
		for range 4 {
			if text, hops := heard(); text != fmt.Sprint(hops) {
				t.Errorf("%q came with %d hops", text, hops)
			}
		}
	})
}

func (c *conn) sayTo(t testing.TB, text, group string) {
	t.Helper()
	c.answer(t, text, multicast.Addr{AddrPort: netip.AddrPortFrom(netip.MustParseAddr(group), 7777)})
}

// MC-04
func TestLoopIsForReceiversOnThisHost(t *testing.T) {
	forFamilies(t, func(t *testing.T, near, _ string) {
		r, s := pair(t, 1)
		here, there := listen(t, r, "multicast:7777:%s:r0", near), listen(t, s, "multicast:7777:%s:s0", near)
		out := dial(t, r, "multicast:7777:%s:r0:loop=no", near)
		out.say(t, "not here")
		there.wantHears(t, "not here")
		here.wantSilence(t)
		if err := out.SetLoopback(true); err != nil {
			t.Fatal(err)
		}
		out.say(t, "everywhere")
		there.wantHears(t, "everywhere")
		here.wantHears(t, "everywhere")
		here.sayTo(t, "to myself", near)
		here.wantHears(t, "to myself")
	})
}

func TestOutgoingInterface(t *testing.T) {
	forFamilies(t, func(t *testing.T, near, far string) {
		r, s := pair(t, 2)
		peers := []*conn{listen(t, s, "multicast:7777:[%s,%s]:s0", plain(near), plain(far)), listen(t, s, "multicast:7777:[%s,%s]:s1", plain(near), plain(far))}
		wantOn := func(text string, peer int) {
			t.Helper()
			peers[peer].wantHears(t, text)
			peers[1-peer].wantSilence(t)
		}
		c := listen(t, r, "multicast:7777:%s:r0,r1", near)
		c.sayTo(t, "the first of the list", near)
		wantOn("the first of the list", 0)
		if err := c.SetOutgoingInterface("r1"); err != nil || c.OutgoingInterface() != "r1" {
			t.Errorf("outgoing interface %q, %v", c.OutgoingInterface(), err)
		}
		c.sayTo(t, "set", far)
		wantOn("set", 1)
		c.answer(t, "by index", multicast.Addr{
			AddrPort: netip.AddrPortFrom(netip.MustParseAddr(near), 7777), Interface: interfaceIndex(t, r, "r0"),
		})
		wantOn("by index", 0)
		for _, bad := range []string{"nosuch", "192.0.2.99", "*", "a b"} {
			if err := c.SetOutgoingInterface(bad); err == nil || c.OutgoingInterface() != "r1" {
				t.Errorf("%s is taken: %v", bad, err)
			}
		}
		listen(t, r, "multicast:0:%s:r0:outInterface=r1", near).sayTo(t, "outInterface", near)
		wantOn("outInterface", 1)
		dial(t, r, "multicast:7777:%s:r1,r0", near).say(t, "the client's first")
		wantOn("the client's first", 1)
		dial(t, r, "multicast:7777:%s:r1:outInterface=r0", near).say(t, "the client's outInterface")
		wantOn("the client's outInterface", 0)
	})
}

// A zone is how an address says the interface.
func TestZoneIsTheWayOut(t *testing.T) {
	r, s := pair(t, 2)
	peer := listen(t, s, "multicast:7777:[ff02::4242]:s1")
	c := listen(t, r, "multicast:0:[ff02::4242]:r0")
	for _, zone := range []string{"r1", fmt.Sprint(interfaceIndex(t, r, "r1"))} {
		r.Do(func() {
			if _, err := c.WriteTo([]byte(zone), &net.UDPAddr{IP: net.ParseIP("ff02::4242"), Port: 7777, Zone: zone}); err != nil {
				t.Error(err)
			}
		})
		peer.wantHears(t, zone)
	}
}

// MC-02: nobody guesses on which link a group of one link is meant.
func TestAmbiguousInterfaceIsRefused(t *testing.T) {
	forFamilies(t, func(t *testing.T, near, far string) {
		r, s := pair(t, 2)
		for _, server := range []bool{true, false} {
			_, err := open(r, describe("multicast:7777:%s", near), server)
			if err == nil || !strings.Contains(err.Error(), "more than one interface could be meant; say which: r0, r1") {
				t.Errorf("%s without an interface: %v", near, err)
			}
		}
		if _, err := open(r, describe("multicast:7777:[%s,%s]:outInterface=r0", plain(far), plain(near)), true); err == nil {
			t.Errorf("%s without an interface beside %s is joined somewhere", near, far)
		}
		c := listen(t, r, "multicast:7777:%s:*", near)
		to := multicast.Addr{AddrPort: netip.AddrPortFrom(netip.MustParseAddr(near), 7777)}
		if _, err := c.WriteTo([]byte("x"), to); !errors.Is(err, syscall.EDESTADDRREQ) {
			t.Errorf("write to %s: %v", to, err)
		}
		r.IP("link del r1")
		c.awaitOn(t, near, "r0")
		peer := listen(t, s, "multicast:7777:%s:s0", near)
		c.sayTo(t, "by the only one", near)
		peer.wantHears(t, "by the only one")
		only := listen(t, r, "multicast:7777:%s", near)
		if got := only.on(near); len(got) != 1 || got[0] != "r0" {
			t.Errorf("joined on %q", got)
		}
	})
}

// The routes decide about a group that reaches farther than a link.
func TestRoutesChooseAnInterface(t *testing.T) {
	r, s := pair(t, 2)
	r.IP("route add 239.0.0.0/8 dev r1")
	r.IP("-6 route add multicast ff15::/16 dev r1 table local metric 1")
	for _, group := range []string{"239.1.2.3", "ff15::4242"} {
		c := listen(t, r, "multicast:7777:%s", group)
		if got := c.on(group); len(got) != 1 || got[0] != "r1" || c.OutgoingInterface() != "r1" {
			t.Errorf("%s is joined on %q", group, got)
		}
		peer := listen(t, s, "multicast:7777:%s:s1", group)
		dial(t, r, "multicast:7777:%s", group).say(t, "routed")
		peer.wantHears(t, "routed")
	}
	r.IP("link set r0 down")
	r.IP("link set r1 down")
	if _, err := open(r, "multicast:7777:239.1.2.3", true); err == nil || !strings.Contains(err.Error(), "no interface is up") {
		t.Errorf("without an interface that is up: %v", err)
	}
}

func TestInterfaceLocalGroupStaysOnTheHost(t *testing.T) {
	r, s := pair(t, 1)
	r.IP("-6 route add multicast ff01::/16 dev lo table local")
	for _, where := range []string{"r0", "lo:outInterface=r0"} {
		for _, server := range []bool{true, false} {
			_, err := open(r, "multicast:7777:[ff01::4242]:"+where, server)
			if err == nil || !strings.Contains(err.Error(), "interface-local") {
				t.Errorf("ff01::4242 on %s: %v", where, err)
			}
		}
	}
	c := listen(t, r, "multicast:7777:[ff01::4242]")
	if got := c.on("ff01::4242"); len(got) != 1 || got[0] != "lo" {
		t.Errorf("joined on %q", got)
	}
	dial(t, r, "multicast:7777:[ff01::4242]").say(t, "in here")
	c.wantHears(t, "in here")
	if err := c.JoinGroup(netip.MustParseAddr("ff01::4243"), "r0"); err == nil {
		t.Error("ff01::4243 is joined on r0")
	}
	_ = s
}

// A client hears those who answer, and not the group.
func TestClientHearsAnswersOnly(t *testing.T) {
	forFamilies(t, func(t *testing.T, near, _ string) {
		r, s := pair(t, 1)
		client := dial(t, r, "multicast:7777:%s:r0", near)
		if a := client.RemoteAddr().String(); a != netip.AddrPortFrom(netip.MustParseAddr(near), 7777).String() {
			t.Errorf("remote address %s", a)
		}
		for range 2 {
			listen(t, s, "multicast:7777:%s:s0", near)
		}
		server := listen(t, s, "multicast:7777:%s:s0", near)
		client.say(t, "anybody?")
		text, from := server.hear(t)
		server.sayTo(t, "to the group", near)
		server.answer(t, "re: "+text, from)
		client.wantHears(t, "re: anybody?")
		client.wantSilence(t)
	})
}

func TestDatagramsToTheHostItselfAreTakenIfWanted(t *testing.T) {
	forFamilies(t, func(t *testing.T, near, far string) {
		r, s := pair(t, 1)
		host := "192.0.2.1"
		if near[0] == 'f' {
			host = "2001:db8:0::1"
		}
		c := listen(t, r, "multicast:7777:%s:r0:reuse=no", far)
		with := listen(t, r, "multicast:7778:%s:r0:unicast=yes", far)
		out := listen(t, s, "multicast:0:%s:s0", far)
		for _, port := range []uint16{7777, 7778} {
			out.answer(t, "to the host", multicast.Addr{AddrPort: netip.AddrPortFrom(netip.MustParseAddr(host), port)})
		}
		text, addr := with.hear(t)
		if text != "to the host" || addr.Local != netip.MustParseAddr(host) {
			t.Errorf("heard %q to %s", text, addr.Local)
		}
		out.sayTo(t, "to the group", far)
		c.wantHears(t, "to the group")
		c.wantSilence(t)
	})
}
