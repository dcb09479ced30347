package tcpsock_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcpsock"
)

// LI-07, LI-08, LI-14
func TestAddrProblem(t *testing.T) {
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
		if got := tcpsock.AddrProblem(tt.network, netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("%s %s: %q\nwant %q", tt.network, tt.addr, got, tt.want)
		}
	}
	if got := tcpsock.AddrProblem("tcp", netip.Addr{}); got != "is no address" {
		t.Errorf("zero Addr: %q", got)
	}
}

// names joins the parameters that the problems are about.
func names(list []sockopt.Problem) string {
	var all []string
	for _, p := range list {
		all = append(all, p.Param)
	}
	return strings.Join(all, " ")
}

func TestDialProblems(t *testing.T) {
	tests := []struct {
		name    string
		network string
		change  func(*tcpsock.DialSpec)
		want    string
	}{
		{"none", "tcp", func(*tcpsock.DialSpec) {}, ""},
		{"flow label", "tcp6", func(s *tcpsock.DialSpec) { s.FlowLabel = 0xfffff }, ""},
		{"flow label and name", "tcp", func(s *tcpsock.DialSpec) { s.FlowLabel = 1 }, ""},
		{"flow label too large", "tcp6", func(s *tcpsock.DialSpec) { s.FlowLabel = 0x100000 }, "flowLabel"},
		{"flow label over IPv4", "tcp4", func(s *tcpsock.DialSpec) { s.FlowLabel = 1 }, "flowLabel"},
		{"flow label from an IPv4 address", "tcp", func(s *tcpsock.DialSpec) {
			s.FlowLabel, s.LocalAddr = 1, netip.MustParseAddr("127.0.0.1")
		}, "flowLabel"},
		{"timeout", "tcp", func(s *tcpsock.DialSpec) { s.Timeout = -1 }, "timeout"},
		{"local family", "tcp6", func(s *tcpsock.DialSpec) { s.LocalAddr = netip.MustParseAddr("127.0.0.1") }, "bindAddress"},
		{"local without a zone", "tcp", func(s *tcpsock.DialSpec) { s.LocalAddr = netip.MustParseAddr("fe80::1") }, "bindAddress"},
		{"everything", "tcp4", func(s *tcpsock.DialSpec) {
			s.LocalAddr, s.FlowLabel, s.Timeout, s.Options.RcvBuf = netip.MustParseAddr("::1"), 1, -1, new(int)
		}, "bindAddress flowLabel timeout rcvbuf"},
		{"option that the local address rules out", "tcp", func(s *tcpsock.DialSpec) {
			s.LocalAddr, s.Options.TOS = netip.MustParseAddr("::1"), new(uint8)
		}, "tos"},
	}
	for _, tt := range tests {
		s := dialSpec()
		tt.change(&s)
		if got := names(s.Problems(tt.network)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestRemoteProblems(t *testing.T) {
	tests := []struct{ network, remote, local, want string }{
		{"tcp", "127.0.0.1", "", ""},
		{"tcp", "::1", "::1", ""},
		{"tcp6", "fe80::1%eth0", "2001:db8::1", ""},
		{"tcp6", "fe80::1", "", "fe80::1 is link-local and needs a zone, the interface: fe80::1%eth0 or fe80::1%2"},
		{"tcp4", "::1", "127.0.0.1", "::1 is an IPv6 address; this endpoint is IPv4 only"},
		{"tcp", "::1", "127.0.0.1", "::1 and 127.0.0.1 are of different families"},
		{"tcp", "127.0.0.1", "::1", "127.0.0.1 and ::1 are of different families"},
	}
	for _, tt := range tests {
		s := dialSpec()
		if tt.local != "" {
			s.LocalAddr = netip.MustParseAddr(tt.local)
		}
		got := ""
		if list := s.RemoteProblems(tt.network, netip.MustParseAddr(tt.remote)); len(list) > 0 {
			got = list[0].Message
		}
		if got != tt.want {
			t.Errorf("%s from %q over %s: %q\nwant %q", tt.remote, tt.local, tt.network, got, tt.want)
		}
	}
}

func TestListenProblems(t *testing.T) {
	tests := []struct {
		name, network, address string
		change                 func(*tcpsock.ListenSpec)
		want                   string
	}{
		{"none", "tcp6", "[::]:80", func(*tcpsock.ListenSpec) {}, ""},
		{"dual stack", "tcp6", "[::]:80", func(s *tcpsock.ListenSpec) { s.DualStack = true }, ""},
		{"dual stack with options of both", "tcp6", "[::]:80", func(s *tcpsock.ListenSpec) {
			s.DualStack, s.Options.TOS, s.Options.TrafficClass = true, new(uint8), new(uint8)
		}, ""},
		{"dual stack on one address", "tcp6", "[::1]:80", func(s *tcpsock.ListenSpec) { s.DualStack = true }, "v6only"},
		{"dual stack on IPv4", "tcp", "0.0.0.0:80", func(s *tcpsock.ListenSpec) { s.DualStack = true }, "v6only"},
		{"option of the other family", "tcp", "[::]:80", func(s *tcpsock.ListenSpec) { s.Options.TOS = new(uint8) }, "tos"},
		{"backlog", "tcp4", "0.0.0.0:80", func(s *tcpsock.ListenSpec) { s.Backlog = -1 }, "backlog"},
		{"mapped", "tcp6", "[::ffff:127.0.0.1]:80", func(*tcpsock.ListenSpec) {}, "interface"},
		{"family", "tcp6", "127.0.0.1:80", func(*tcpsock.ListenSpec) {}, "interface"},
	}
	for _, tt := range tests {
		s := listenSpec(tt.address)
		tt.change(&s)
		if got := names(s.Problems(tt.network)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
