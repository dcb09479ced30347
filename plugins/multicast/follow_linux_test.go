package multicast_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/multicast"
	"github.com/vishvananda/netlink"
)

// wantConversation sends from either end to the other. Ends of links that are made anew are told to both at their time.
func wantConversation(t testing.TB, r, s *conn, text string) {
	t.Helper()
	s.say(t, text)
	got, from := r.hear(t)
	if got != text {
		t.Errorf("heard %q, want %q", got, text)
	}
	r.answer(t, "re: "+text, from)
	if got, _ := s.hear(t); got != "re: "+text {
		t.Errorf("the answer is %q", got)
	}
}

// MC-02: the interface is made anew with another index while a read waits.
func TestMembershipReturnsWithItsInterface(t *testing.T) {
	for _, tc := range []struct{ name, group, on, source string }{
		{"IPv4 by name", "239.1.2.3", "r0", ""},
		{"IPv4 by address", "239.1.2.3", "192.0.2.1", ""},
		{"IPv4 all", "224.0.0.200", "*", ""},
		{"IPv4 one source", "232.1.1.1", "r0", ":source=192.0.2.2"},
		{"IPv6 by name", "ff02::4242", "r0", ""},
		{"IPv6 by address", "ff15::4242", "2001:db8:0::1", ""},
		{"IPv6 all", "ff02::4242", "*", ""},
		{"IPv6 one source", "ff3e::1", "r0", ":source=[2001:db8:0::2]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, s := pair(t, 1)
			c := listen(t, r, "multicast:7777:%s:%s%v", tc.group, tc.on, plain(tc.source))
			out := dial(t, s, "multicast:7777:%s:s0", tc.group)
			wantConversation(t, c, out, "before")
			heard := make(chan string)
			go func() {
				text, _ := c.hear(t)
				heard <- text
			}()
			r.IP("link del r0")
			c.awaitOn(t, tc.group)
			out.await(t, "no way out", func() bool { return out.OutgoingInterface() == "" })
			if _, err := out.Write([]byte("into nothing")); !errors.Is(err, syscall.ENODEV) {
				t.Errorf("write without an interface: %v", err)
			}
			before := interfaceCount(r)
			link(r, s, 0)
			c.awaitOn(t, tc.group, "r0")
			out.await(t, "the way out", func() bool { return out.OutgoingInterface() == "s0" })
			if m := c.Groups()[0]; m.Index != interfaceIndex(t, r, "r0") || m.Index <= before {
				t.Errorf("joined as %+v", m)
			}
			out.say(t, "to the read that waited")
			if text := <-heard; text != "to the read that waited" {
				t.Errorf("heard %q", text)
			}
			wantConversation(t, c, out, "after")
		})
	}
}

func interfaceCount(ns *testenv.Netns) int {
	count := 0
	ns.Do(func() {
		entries, _ := netlink.LinkList()
		count = len(entries)
	})
	return count
}

// An interface can get the index of the former one, on which the kernel has the old membership, dead.
func TestMembershipReturnsWithAnInterfaceOfTheSameIndex(t *testing.T) {
	forFamilies(t, func(t *testing.T, near, far string) {
		r, s := testenv.NewNetns(t), testenv.NewNetns(t)
		make77 := func() {
			r.IP("link add r0 index 77 type veth peer name s0 netns " + s.Name)
			r.IP("addr add 192.0.2.1/24 dev r0")
			r.IP("addr add 2001:db8::1/64 dev r0 nodad")
			s.IP("addr add 2001:db8::2/64 dev s0 nodad")
			s.IP("addr add 192.0.2.2/24 dev s0")
			r.IP("link set r0 up")
			s.IP("link set s0 up")
		}
		make77()
		c := listen(t, r, "multicast:7777:%s:r0", far)
		for range 3 {
			c.details()
			r.IP("link del r0")
			make77()
			c.await(t, "joined again", func() bool { return slices.Contains(c.details(), "joined "+far+" on r0 (index 77)") })
			untilHeard(t, dial(t, s, "multicast:7777:%s:s0", far), c, "anew")
		}
	})
}

// MC-03
func TestMembershipSurvivesDownAndUp(t *testing.T) {
	forFamilies(t, func(t *testing.T, near, far string) {
		for _, on := range []string{"r0", "*"} {
			r, s := pair(t, 1)
			c := listen(t, r, "multicast:7777:%s:%s", near, on)
			out := dial(t, s, "multicast:7777:%s:s0", near)
			for n := range 3 {
				c.details()
				r.IP("link set r0 down")
				if on == "*" {
					c.awaitOn(t, near)
				}
				r.IP("link set r0 up")
				c.awaitOn(t, near, "r0")
				// The kernel may still be bringing up IPv6 when the interface is.
				untilHeard(t, out, c, fmt.Sprint("up ", n))
			}
		}
	})
}

// untilHeard repeats what may be lost while an interface comes up.
func untilHeard(t *testing.T, out, c *conn, text string) {
	t.Helper()
	heard := make(chan string, 1)
	go func() {
		got, _ := c.hear(t)
		heard <- got
	}()
	for {
		_, _ = out.Write([]byte(text))
		select {
		case got := <-heard:
			if got != text {
				t.Errorf("heard %q, want %q", got, text)
			}
			c.drain()
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// drain reads what was repeated in vain.
func (c *conn) drain() {
	buf := make([]byte, 100)
	for {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, _, err := c.ReadFromAddr(buf); err != nil {
			return
		}
	}
}

func TestNewInterfaceIsJoinedByAll(t *testing.T) {
	forFamilies(t, func(t *testing.T, near, _ string) {
		r, s := pair(t, 1)
		c := listen(t, r, "multicast:7777:%s:*", near)
		c.awaitOn(t, near, "r0")
		link(r, s, 1)
		c.awaitOn(t, near, "r0", "r1")
		dial(t, s, "multicast:7777:%s:s1", near).say(t, "on the new one")
		c.wantHears(t, "on the new one")
		r.IP("link set r0 multicast off")
		c.awaitOn(t, near, "r1")
	})
}

func TestMembershipFollowsAnAddressToAnotherInterface(t *testing.T) {
	for group, address := range map[string]string{"239.1.2.3": "192.0.2.1", "ff15::1": "2001:db8:0::1"} {
		r, s := pair(t, 2)
		c := listen(t, r, "multicast:7777:%s:%s", group, address)
		c.awaitOn(t, group, "r0")
		bits := "/24"
		if address[0] == '2' {
			bits = "/64"
		}
		r.IP("addr del " + address + bits + " dev r0")
		c.awaitOn(t, group)
		c.await(t, "no way out", func() bool { return c.OutgoingInterface() == "" })
		if _, err := c.WriteTo([]byte("x"), multicast.Addr{AddrPort: netip.AddrPortFrom(netip.MustParseAddr(group), 7777)}); !errors.Is(err, syscall.ENODEV) {
			t.Errorf("write without the address: %v", err)
		}
		r.IP("addr add " + address + bits + " dev r1")
		c.awaitOn(t, group, "r1")
		dial(t, s, "multicast:7777:%s:s1", group).say(t, "over there")
		c.wantHears(t, "over there")
	}
}

// MC-03: an interface without its address still hears.
func TestMembershipSurvivesTheLossOfAddresses(t *testing.T) {
	forFamilies(t, func(t *testing.T, near, _ string) {
		r, s := pair(t, 1)
		c := listen(t, r, "multicast:7777:%s:r0", near)
		r.IP("addr flush dev r0")
		dial(t, s, "multicast:7777:%s:s0", near).say(t, "to nobody in particular")
		c.wantHears(t, "to nobody in particular")
	})
}
