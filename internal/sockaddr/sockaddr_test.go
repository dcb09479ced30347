package sockaddr_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/epctl/endpoint/internal/sockaddr"
)

func TestNetworks(t *testing.T) {
	for _, tt := range []struct {
		transport sockaddr.Transport
		addr      netip.Addr
		want      string
	}{
		{sockaddr.TCP, netip.MustParseAddr("127.0.0.1"), "tcp4"},
		{sockaddr.TCP, netip.MustParseAddr("::1"), "tcp6"},
		{sockaddr.TCP, netip.Addr{}, "tcp6"},
		{sockaddr.UDP, netip.MustParseAddr("127.0.0.1"), "udp4"},
		{sockaddr.UDP, netip.MustParseAddr("fe80::1%eth0"), "udp6"},
	} {
		if got := tt.transport.Network(tt.addr); got != tt.want {
			t.Errorf("%s over %v is %q, want %q", tt.transport, tt.addr, got, tt.want)
		}
	}
}

func TestNarrow(t *testing.T) {
	v4, v6 := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")
	for _, tt := range []struct {
		transport sockaddr.Transport
		network   string
		local     netip.Addr
		label     uint32
		want      string
	}{
		{sockaddr.TCP, "tcp", netip.Addr{}, 0, "tcp"},
		{sockaddr.TCP, "tcp", v4, 0, "tcp4"},
		{sockaddr.UDP, "udp", v6, 0, "udp6"},
		{sockaddr.UDP, "udp", netip.Addr{}, 1, "udp6"},
		{sockaddr.TCP, "tcp4", v6, 1, "tcp4"}, // a problem, told by others
	} {
		if got := tt.transport.Narrow(tt.network, tt.local, tt.label); got != tt.want {
			t.Errorf("%s from %v, label %d: %q, want %q", tt.network, tt.local, tt.label, got, tt.want)
		}
	}
}

func TestNetAddr(t *testing.T) {
	if a := sockaddr.TCP.NetAddr(netip.AddrPort{}); a != nil {
		t.Errorf("no address is %v", a)
	}
	tcp, ok := sockaddr.TCP.NetAddr(netip.MustParseAddrPort("[fe80::1%eth0]:7")).(*net.TCPAddr)
	if !ok || tcp.String() != "[fe80::1%eth0]:7" {
		t.Errorf("TCP: %#v", tcp)
	}
	udp, ok := sockaddr.UDP.NetAddr(netip.AddrPortFrom(netip.Addr{}, 7)).(*net.UDPAddr)
	if !ok || udp.IP != nil || udp.Port != 7 {
		t.Errorf("a port alone over UDP: %#v", udp)
	}
}

// LI-15
func TestNamed(t *testing.T) {
	for _, tt := range []struct {
		addr net.Addr
		zone string
		want string
	}{
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 7}, "eth0", "[fe80::1%eth0]:7"},
		{&net.UDPAddr{IP: net.ParseIP("fe80::1"), Port: 7, Zone: "old"}, "eth0", "[fe80::1%eth0]:7"},
		{&net.UDPAddr{IP: net.ParseIP("fe80::1"), Port: 7, Zone: "eth1"}, "", "[fe80::1%eth1]:7"},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 7}, "eth0", "[2001:db8::1]:7"},
		{&net.UDPAddr{IP: net.ParseIP("169.254.0.1"), Port: 7}, "eth0", "169.254.0.1:7"},
		{&net.UnixAddr{Name: "/run/x"}, "eth0", "/run/x"},
	} {
		if sockaddr.Named(tt.addr, tt.zone); tt.addr.String() != tt.want {
			t.Errorf("%v, want %s", tt.addr, tt.want)
		}
	}
}

func TestAsGiven(t *testing.T) {
	source, addr := netip.MustParseAddrPort("[fe80::1%eth0]:0"), netip.MustParseAddrPort("[fe80::2%eth0]:7")
	wrapped := fmt.Errorf("more: %w", &net.OpError{Op: "dial", Net: "udp6", Addr: &net.UDPAddr{}, Err: net.ErrClosed})
	var op *net.OpError
	if !errors.As(sockaddr.UDP.AsGiven(wrapped, source, addr), &op) || op.Source.String() != source.String() || op.Addr.String() != addr.String() {
		t.Errorf("%v", op)
	}
	if sockaddr.UDP.AsGiven(op, netip.AddrPort{}, addr); op.Source != nil {
		t.Errorf("no source is %v", op.Source)
	}
	if err := sockaddr.UDP.AsGiven(net.ErrClosed, source, addr); err != net.ErrClosed {
		t.Errorf("another error becomes %v", err)
	}
}

func TestIndexed(t *testing.T) {
	for _, tt := range []struct {
		addr  string
		index int
	}{{"127.0.0.1", 0}, {"fe80::1%1", 1}} {
		a, err := sockaddr.Indexed(netip.MustParseAddr(tt.addr))
		if err != nil || sockaddr.Index(a) != tt.index {
			t.Errorf("%s is %v, %v; want the index %d", tt.addr, a, err, tt.index)
		}
	}
	const none = "fe80::1%nosuchinterface"
	if a, err := sockaddr.Indexed(netip.MustParseAddr(none)); err == nil || a.String() != none {
		t.Errorf("%v, %v", a, err)
	}
}
