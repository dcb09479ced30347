package sockaddr_test

import (
	"net/netip"
	"testing"

	"github.com/epctl/endpoint/internal/sockaddr"
)

// LI-07, LI-08, LI-14
func TestProblem(t *testing.T) {
	tests := []struct {
		network, addr, want string // "" is no problem
	}{
		{"tcp4", "127.0.0.1", ""},
		{"tcp4", "0.0.0.0", ""},
		{"tcp6", "::", ""},
		{"tcp6", "::1", ""},
		{"tcp6", "2001:db8::1", ""},
		{"tcp6", "fe80::1%eth0", ""},
		{"tcp6", "fe80::1%2", ""},
		{"tcp6", "fe80::1%0x", ""}, // may be a name
		{"tcp", "127.0.0.1", ""},
		{"tcp", "fe80::1%eth0", ""},
		{"udp6", "::1", ""},
		{"tcp4", "::1", "is an IPv6 address; this endpoint is IPv4 only"},
		{"tcp6", "127.0.0.1", "is an IPv4 address; this endpoint is IPv6 only"},
		{"tcp6", "::ffff:127.0.0.1", "is an IPv4 address in IPv6 form; write 127.0.0.1 and use IPv4"},
		{"tcp4", "::ffff:127.0.0.1", "is an IPv4 address in IPv6 form; write 127.0.0.1 and use IPv4"},
		{"tcp", "::ffff:0.0.0.0", "is an IPv4 address in IPv6 form; write 0.0.0.0 and use IPv4"},
		{"tcp6", "fe80::1", "is link-local and needs a zone, the interface: fe80::1%eth0 or fe80::1%2"},
		{"tcp", "febf::1", "is link-local and needs a zone, the interface: febf::1%eth0 or febf::1%2"},
		{"tcp6", "fe80::1%0", "has the zone 0, which is no interface"},
		{"tcp6", "fe80::1%000", "has the zone 0, which is no interface"},
		{"tcp6", "::1%lo", "is not link-local, so a zone means nothing there"},
		{"tcp6", "2001:db8::1%2", "is not link-local, so a zone means nothing there"},
		{"tcp4", "224.0.0.1", "is a multicast or broadcast address"},
		{"tcp4", "255.255.255.255", "is a multicast or broadcast address"},
		{"tcp6", "ff02::1%eth0", "is a multicast or broadcast address"},
		{"tcp4", "169.254.0.1", ""}, // IPv4 has no zones
	}
	for _, tt := range tests {
		if got := sockaddr.Problem(tt.network, netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("%s %s: %q\nwant %q", tt.network, tt.addr, got, tt.want)
		}
	}
	if got := sockaddr.Problem("tcp", netip.Addr{}); got != "is no address" {
		t.Errorf("zero Addr: %q", got)
	}
}

func TestProblemsNameTheParameterAndTheAddress(t *testing.T) {
	list := sockaddr.Problems("udp", "bindAddress", netip.MustParseAddr("::1%lo"))
	want := "::1%lo is not link-local, so a zone means nothing there"
	if len(list) != 1 || list[0].Param != "bindAddress" || list[0].Message != want || list[0].With != "" {
		t.Errorf("%+v", list)
	}
	if list := sockaddr.Problems("udp", "bindAddress", netip.MustParseAddr("::1")); list != nil {
		t.Errorf("%+v", list)
	}
}

func TestLabelProblems(t *testing.T) {
	v4, v6 := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")
	const large, family = "is more than 20 bits (1048575)", "is for IPv6 only"
	for _, tt := range []struct {
		network string
		local   netip.Addr
		label   uint32
		want    string // "" is no problem
	}{
		{"tcp4", v4, 0, ""},
		{"tcp", netip.Addr{}, 1, ""},
		{"udp6", v6, 1<<20 - 1, ""},
		{"udp6", v6, 1 << 20, large},
		{"tcp4", v4, 1 << 20, large},
		{"tcp4", netip.Addr{}, 1, family},
		{"udp", v4, 1, family},
	} {
		got := ""
		if list := sockaddr.LabelProblems(tt.network, tt.local, tt.label); len(list) > 0 {
			got = list[0].Message
		}
		if got != tt.want {
			t.Errorf("%s from %v, label %d: %q, want %q", tt.network, tt.local, tt.label, got, tt.want)
		}
	}
}
