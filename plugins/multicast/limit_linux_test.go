package multicast_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/plugins/multicast"
	"github.com/epctl/endpoint/trace"
	"golang.org/x/sys/unix"
)

// MC-05: the 21st group of a socket.
func TestIPv4MembershipLimitNamesItsSysctl(t *testing.T) {
	r, _ := pair(t, 1)
	var groups []string
	for n := range 21 {
		groups = append(groups, fmt.Sprintf("239.1.2.%d", n+1))
	}
	listen(t, r, "multicast:7777:%s:r0", strings.Join(groups[:20], ","))
	_, err := open(r, describe("multicast:7777:%s:r0", strings.Join(groups, ",")), true)
	wantSysctl(t, err, syscall.ENOBUFS, "net.ipv4.igmp_max_memberships")
	if !strings.Contains(err.Error(), "239.1.2.21") || !strings.Contains(err.Error(), "r0") {
		t.Errorf("the error names no group and no interface: %v", err)
	}
}

func wantSysctl(t *testing.T, err, want error, sysctl string) {
	t.Helper()
	if !errors.Is(err, want) || !strings.Contains(err.Error(), sysctl) {
		t.Errorf("%v, want %v with %s", err, want, sysctl)
	}
}

// MC-05
func TestIPv4SourceLimitNamesItsSysctl(t *testing.T) {
	r, _ := pair(t, 1)
	c := listen(t, r, "multicast:7777:232.1.1.1:r0:source=192.0.2.100")
	var err error
	for n := 101; n < 120 && err == nil; n++ {
		err = c.JoinSourceGroup(netip.MustParseAddr("232.1.1.1"), netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), "r0")
	}
	wantSysctl(t, err, syscall.ENOBUFS, "net.ipv4.igmp_max_msf")
}

// MC-05: IPv6 memberships are paid from the memory of a socket for options.
func TestIPv6MembershipLimitNamesItsSysctl(t *testing.T) {
	r, _ := pair(t, 1)
	c := listen(t, r, "multicast:7777:[ff15::1]:r0")
	group := netip.MustParseAddr("ff15::2")
	err := joinMany(c, group, 5000)
	wantSysctl(t, err, syscall.ENOMEM, "net.core.optmem_max")
	if c.Groups()[0].Group != netip.MustParseAddr("ff15::1") {
		t.Error("the first group is gone")
	}
}

func joinMany(c *conn, group netip.Addr, n int) error {
	for range n {
		if err := c.JoinGroup(group, "r0"); err != nil {
			return err
		}
		group = group.Next()
	}
	return nil
}

// MC-05: an interface that comes when the socket is full is told of, and joined when there is room.
func TestFullSocketJoinsANewInterfaceWhenThereIsRoom(t *testing.T) {
	r, s := pair(t, 1)
	c := listen(t, r, "multicast:7777:239.1.2.3:*")
	if err := joinMany(c, netip.MustParseAddr("239.2.0.1"), 19); err != nil {
		t.Fatal(err)
	}
	c.details()
	var told []string
	link(r, s, 1)
	c.await(t, "a warning", func() bool {
		told = append(told, c.details()...)
		return slices.ContainsFunc(told, func(s string) bool {
			return strings.HasPrefix(s, "can't join 239.1.2.3 on r1") && strings.Contains(s, "igmp_max_memberships")
		})
	})
	if err := c.LeaveGroup(netip.MustParseAddr("239.2.0.1"), "r0"); err != nil {
		t.Fatal(err)
	}
	c.awaitOn(t, "239.1.2.3", "r0", "r1")
}

// An MTU below 1280 takes IPv6 off an interface, and with it its memberships. RFC 8200 section 5
func TestIPv6MembershipReturnsWithTheMTU(t *testing.T) {
	r, s := pair(t, 1)
	c := listen(t, r, "multicast:7777:[ff02::4242]:r0")
	r.IP("link set r0 mtu 1000")
	if _, err := open(r, "multicast:7777:[ff02::4242]:r0", true); !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), "does no IPv6") {
		t.Errorf("with an MTU of 1000: %v", err)
	}
	all := listen(t, r, "multicast:7777:[ff02::4242]:*")
	all.awaitOn(t, "ff02::4242")
	c.details()
	r.IP("link set r0 mtu 1500")
	all.awaitOn(t, "ff02::4242", "r0")
	c.await(t, "joined again", func() bool {
		return slices.ContainsFunc(c.details(), func(s string) bool { return strings.HasPrefix(s, "joined ff02::4242 on r0") })
	})
	untilHeard(t, dial(t, s, "multicast:7777:[ff02::4242]:s0"), c, "large enough")
}

// MC-01: the kernel itself is told, so that no program's queue fills with what it drops.
func TestKernelKeepsGroupsOfOthersAway(t *testing.T) {
	for group, option := range map[string][2]int{
		"239.1.2.3": {unix.SOL_IP, unix.IP_MULTICAST_ALL}, "ff02::4242": {unix.SOL_IPV6, unix.IPV6_MULTICAST_ALL},
	} {
		r, _ := pair(t, 1)
		raw, err := listen(t, r, "multicast:7777:%s:r0", group).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		value := -1
		if err := raw.Control(func(fd uintptr) { value, _ = unix.GetsockoptInt(int(fd), option[0], option[1]) }); err != nil {
			t.Fatal(err)
		}
		if value != 0 {
			t.Errorf("%s: the option is %d", group, value)
		}
	}
}

// What is done and what can't be is told to the tracer, with the socket's address.
func TestTracerIsTold(t *testing.T) {
	r, _ := pair(t, 1)
	c := listen(t, r, "multicast:7777:[ff02::4242]:r0")
	c.mu.Lock()
	var kinds []trace.Kind
	for _, e := range c.events {
		kinds = append(kinds, e.Kind)
		if e.Kind != trace.Built && (e.Layer != "multicast" || e.Network != "udp6" || e.Local.String() != "[::]:7777") {
			t.Errorf("%+v", e)
		}
	}
	c.mu.Unlock()
	if want := []trace.Kind{trace.Built, trace.Changed, trace.Listening}; !slices.Equal(kinds, want) {
		t.Errorf("told %q, want %q", kinds, want)
	}
	failed, err := open(r, "multicast:7777:[ff02::4242]:nosuch", true)
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "listen" || op.Addr.String() != "[ff02::4242]:7777" {
		t.Errorf("%v", err)
	}
	if last := failed.events[len(failed.events)-1]; last.Kind != trace.Listening || !errors.Is(last.Err, multicast.ErrNoInterface) {
		t.Errorf("told %+v", last)
	}
	if _, err := open(r, "multicast:7777:[ff02::4242]:nosuch", false); !errors.As(err, &op) || op.Op != "dial" {
		t.Errorf("%v", err)
	}
}

// The name that the system keeps beside an interface's own is looked up once.
func TestInterfaceByItsAlternativeName(t *testing.T) {
	r, s := pair(t, 1)
	r.IP("link property add dev r0 altname the-long-name-of-r0")
	c := listen(t, r, "multicast:7777:239.1.2.3:the-long-name-of-r0")
	c.awaitOn(t, "239.1.2.3", "r0")
	dial(t, s, "multicast:7777:239.1.2.3:s0").say(t, "hello")
	c.wantHears(t, "hello")
}

func TestInterfaceThatDoesNotExistIsToldWithThoseThatDo(t *testing.T) {
	r, _ := pair(t, 1)
	for _, s := range []string{
		"multicast:7777:239.1.2.3:nosuch", "multicast:7777:239.1.2.3:r0,nosuch", "multicast:7777:239.1.2.3:r0:outInterface=nosuch",
		"multicast:7777:239.1.2.3:99", "multicast:7777:239.1.2.3:192.0.2.99", "multicast:7777:[ff02::1]:[fe80::99%r0]",
	} {
		for _, server := range []bool{true, false} {
			_, err := open(r, s, server)
			if !errors.Is(err, multicast.ErrNoInterface) || !strings.Contains(err.Error(), "(there are: lo, r0)") {
				t.Errorf("%s, server %v: %v", s, server, err)
			}
		}
	}
}
