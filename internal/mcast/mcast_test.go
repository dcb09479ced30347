package mcast

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/netif"
)

func TestKindsOfGroups(t *testing.T) {
	for group, want := range map[string]string{
		"224.0.0.251":       "link",
		"224.0.1.1":         "",
		"231.255.255.255":   "",
		"232.0.0.0":         "source",
		"232.255.255.255":   "source",
		"233.0.0.0":         "",
		"239.255.255.250":   "",
		"ff01::1":           "interface",
		"ff11::1":           "interface",
		"ff31::1":           "interface source",
		"ff02::fb":          "link",
		"ff32::1":           "link source",
		"ff3e::1":           "source",
		"ff3e:1::1":         "", // ff3x::/32 only
		"ff3e:0:1::1":       "source",
		"ff00::1":           "reserved",
		"ff30::1":           "source reserved",
		"ff05::2":           "",
		"ff72:340:fd00::64": "link",
	} {
		a := netip.MustParseAddr(group)
		var got []string
		for _, kind := range []struct {
			name string
			is   func(netip.Addr) bool
		}{{"interface", InterfaceLocal}, {"link", LinkLocal}, {"source", SourceSpecific}, {"reserved", ReservedScope}} {
			if kind.is(a) {
				got = append(got, kind.name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", group, got, want)
		}
	}
}

// MC-05
func TestLimitsNameTheirSysctl(t *testing.T) {
	for _, tc := range []struct {
		c      Channel
		more   bool
		err    error
		sysctl string
	}{
		{channel("239.1.2.3"), false, syscall.ENOBUFS, "net.ipv4.igmp_max_memberships"},
		{channel("232.1.1.1", "192.0.2.9"), false, syscall.ENOBUFS, "net.ipv4.igmp_max_memberships"},
		{channel("232.1.1.1", "192.0.2.9"), true, syscall.ENOBUFS, "net.ipv4.igmp_max_msf"},
		{channel("ff02::fb"), false, syscall.ENOMEM, "net.core.optmem_max"},
		{channel("ff3e::1", "2001:db8::9"), true, syscall.ENOBUFS, "net.ipv6.mld_max_msf"},
		{channel("239.1.2.3"), false, syscall.ENODEV, ""},
		{channel("ff02::fb"), false, syscall.ENODEV, ""},
	} {
		err := limit(tc.c, tc.more, tc.err)
		if !errors.Is(err, tc.err) || strings.Contains(err.Error(), "sysctl") != (tc.sysctl != "") || !strings.Contains(err.Error(), tc.sysctl) {
			t.Errorf("%s, %v: %v", tc.c, tc.err, err)
		}
	}
}

func TestChoiceWhereNoInterfaceIsSaid(t *testing.T) {
	one := netif.Snapshot{Interfaces: []netif.Interface{loopback(), down(eth(2, "a", 2)), eth(3, "b", 3)}}
	two := netif.Snapshot{Interfaces: []netif.Interface{loopback(), eth(2, "a", 2), eth(3, "b", 3)}}
	none := netif.Snapshot{Interfaces: []netif.Interface{loopback(), down(eth(2, "a", 2))}}
	for _, tc := range []struct {
		snapshot    netif.Snapshot
		group, want string
		err         error
	}{
		{one, "239.1.2.3", "b", nil},
		{one, "ff02::fb", "b", nil},
		{two, "ff02::fb", "", errAmbiguous},
		{two, "224.0.0.251", "", errAmbiguous},
		{two, "ff01::1", "lo", nil},
		{none, "ff02::fb", "", errNone},
		{none, "239.1.2.3", "", errNone},
		{netif.Snapshot{}, "ff01::1", "", errNone},
	} {
		s, err := choose(tc.snapshot, netip.MustParseAddr(tc.group))
		if s.String() != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s among %v: %q, %v; want %q, %v", tc.group, describe(tc.snapshot.Interfaces), s, err, tc.want, tc.err)
		}
		if err != nil && tc.err == nil {
			t.Error(err)
		}
	}
}
