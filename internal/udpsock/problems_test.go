package udpsock_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/udpsock"
)

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
		change  func(*udpsock.DialSpec)
		want    string
	}{
		{"none", "udp", func(*udpsock.DialSpec) {}, ""},
		{"local address", "udp", func(s *udpsock.DialSpec) { s.LocalAddr = netip.MustParseAddr("fe80::1%eth0") }, ""},
		{"local address without a zone", "udp", func(s *udpsock.DialSpec) { s.LocalAddr = netip.MustParseAddr("fe80::1") }, "bindAddress"},
		{"local address of the other family", "udp6", func(s *udpsock.DialSpec) { s.LocalAddr = netip.MustParseAddr("127.0.0.1") }, "bindAddress"},
		{"local group", "udp", func(s *udpsock.DialSpec) { s.LocalAddr = netip.MustParseAddr("224.0.0.1") }, "bindAddress"},
		{"local broadcast", "udp", func(s *udpsock.DialSpec) { s.LocalAddr = netip.MustParseAddr("255.255.255.255") }, "bindAddress"},
		{"flow label", "udp", func(s *udpsock.DialSpec) { s.FlowLabel = 0xfffff }, ""},
		{"flow label too large", "udp6", func(s *udpsock.DialSpec) { s.FlowLabel = 0x100000 }, "flowLabel"},
		{"flow label over IPv4", "udp4", func(s *udpsock.DialSpec) { s.FlowLabel = 1 }, "flowLabel"},
		{"flow label from IPv4", "udp", func(s *udpsock.DialSpec) { s.FlowLabel, s.LocalAddr = 1, netip.MustParseAddr("127.0.0.1") }, "flowLabel"},
		{"segment", "udp", func(s *udpsock.DialSpec) { s.Segment = udpsock.MaxSegment }, ""},
		{"segment too large", "udp", func(s *udpsock.DialSpec) { s.Segment = udpsock.MaxSegment + 1 }, "segment"},
		{"negative segment", "udp", func(s *udpsock.DialSpec) { s.Segment = -1 }, "segment"},
		{"option of the other family", "udp6", func(s *udpsock.DialSpec) { s.Options.TOS = new(uint8) }, "tos"},
		{"option of both", "udp", func(s *udpsock.DialSpec) { s.Options.TOS, s.Options.TrafficClass = new(uint8), new(uint8) }, ""},
		{"option that the local address rules out", "udp", func(s *udpsock.DialSpec) {
			s.LocalAddr, s.Options.TOS = netip.MustParseAddr("::1"), new(uint8)
		}, "tos"},
		{"option that the flow label rules out", "udp", func(s *udpsock.DialSpec) { s.FlowLabel, s.Options.TOS = 1, new(uint8) }, "tos"},
		{"everything", "udp4", func(s *udpsock.DialSpec) {
			s.LocalAddr, s.FlowLabel, s.Segment, s.Options.RcvBuf = netip.MustParseAddr("::1"), 1, -1, new(int)
		}, "bindAddress flowLabel segment rcvbuf"},
	}
	for _, tt := range tests {
		s := dialSpec()
		tt.change(&s)
		if got := names(s.Problems(tt.network)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// LI-08, LI-14
func TestRemoteProblems(t *testing.T) {
	tests := []struct{ network, remote, local, want string }{
		{"udp", "127.0.0.1:1", "", ""},
		{"udp", "[::1]:1", "::1", ""},
		{"udp6", "[fe80::1%eth0]:1", "2001:db8::1", ""},
		{"udp", "255.255.255.255:9", "192.0.2.1", ""},
		{"udp6", "255.255.255.255:9", "", "host: 255.255.255.255 is an IPv4 address; this endpoint is IPv6 only"},
		{"udp", "127.0.0.1:0", "", "port: 0 is no port to send to"},
		{"udp", "224.0.0.1:1", "", "host: 224.0.0.1 is a multicast or broadcast address"},
		{"udp", "[fe80::1]:1", "", "host: fe80::1 is link-local and needs a zone, the interface: fe80::1%eth0 or fe80::1%2"},
		{"udp", "[::ffff:127.0.0.1]:1", "127.0.0.1", "host: ::ffff:127.0.0.1 is an IPv4 address in IPv6 form; write 127.0.0.1 and use IPv4"},
		{"udp4", "[::1]:1", "", "host: ::1 is an IPv6 address; this endpoint is IPv4 only"},
		{"udp", "[::1]:1", "127.0.0.1", "host: ::1 and 127.0.0.1 are of different families"},
		{"udp", "127.0.0.1:1", "::1", "host: 127.0.0.1 and ::1 are of different families"},
		{"udp", "127.0.0.1:0", "::1", "port: 0 is no port to send to; host: 127.0.0.1 and ::1 are of different families"},
	}
	for _, tt := range tests {
		s := dialSpec()
		if tt.local != "" {
			s.LocalAddr = netip.MustParseAddr(tt.local)
		}
		var all []string
		for _, p := range s.RemoteProblems(tt.network, netip.MustParseAddrPort(tt.remote)) {
			all = append(all, p.Param+": "+p.Message)
		}
		if got := strings.Join(all, "; "); got != tt.want {
			t.Errorf("%s from %q over %s: %q\nwant %q", tt.remote, tt.local, tt.network, got, tt.want)
		}
	}
	if got := names(dialSpec().RemoteProblems("udp", netip.AddrPortFrom(netip.Addr{}, 1))); got != "host" {
		t.Errorf("no address: %q", got)
	}
}

func TestListenProblems(t *testing.T) {
	tests := []struct {
		name, network, address string
		change                 func(*udpsock.ListenSpec)
		want                   string
	}{
		{"none", "udp", "[::]:53", func(*udpsock.ListenSpec) {}, ""},
		{"IPv4", "udp", "0.0.0.0:53", func(*udpsock.ListenSpec) {}, ""},
		{"dual stack", "udp", "[::]:53", func(s *udpsock.ListenSpec) { s.DualStack = true }, ""},
		{"dual stack with options of both", "udp", "[::]:53", func(s *udpsock.ListenSpec) {
			s.DualStack, s.Options.TOS, s.Options.TrafficClass = true, new(uint8), new(uint8)
		}, ""},
		{"dual stack on one address", "udp", "[::1]:53", func(s *udpsock.ListenSpec) { s.DualStack = true }, "v6only"},
		{"dual stack on IPv4", "udp", "0.0.0.0:53", func(s *udpsock.ListenSpec) { s.DualStack = true }, "v6only"},
		{"option of the other family", "udp", "[::]:53", func(s *udpsock.ListenSpec) { s.Options.TOS = new(uint8) }, "tos"},
		{"link-local", "udp", "[fe80::1%eth0]:53", func(*udpsock.ListenSpec) {}, ""},
		{"link-local without a zone", "udp", "[fe80::1]:53", func(*udpsock.ListenSpec) {}, "interface"},
		{"mapped", "udp", "[::ffff:127.0.0.1]:53", func(*udpsock.ListenSpec) {}, "interface"},
		{"broadcast", "udp", "255.255.255.255:53", func(*udpsock.ListenSpec) {}, "interface"},
		{"group", "udp", "[ff02::1%eth0]:53", func(*udpsock.ListenSpec) {}, "interface"},
		{"family", "udp6", "127.0.0.1:53", func(*udpsock.ListenSpec) {}, "interface"},
	}
	for _, tt := range tests {
		s := listenSpec(tt.address)
		tt.change(&s)
		if got := names(s.Problems(tt.network)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
