package tcpsock_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcpsock"
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
