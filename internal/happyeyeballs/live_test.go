package happyeyeballs

import (
	"context"
	"net"
	"net/netip"
	"testing"
)

// fixed is a resolver with fixed answers.
type fixed struct{ ip6, ip4 []netip.Addr }

func (f fixed) LookupNetIP(_ context.Context, network, _ string) ([]netip.Addr, error) {
	if network == "ip6" {
		return f.ip6, nil
	}
	return f.ip4, nil
}

// HE-14: the default dial binds, and hands out package net's own connections.
func TestDefaultDial(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	port := l.Addr().(*net.TCPAddr).AddrPort().Port()
	local := netip.MustParseAddr("127.0.0.7")
	if b, err := net.Listen("tcp4", "127.0.0.7:0"); err == nil {
		_ = b.Close()
	} else {
		local = netip.MustParseAddr("127.0.0.1") // not every system has the whole of 127/8
	}
	for _, host := range []string{"127.0.0.1", "host.example"} { // alone, and in a race
		e, err := New(Config{Local: []netip.Addr{local}, Resolver: fixed{ip4: addrList("127.0.0.1")}})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := e.Dial(t.Context(), host, port)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := conn.(*net.TCPConn); !ok || conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr() != local {
			t.Errorf("%s: %T from %v", host, conn, conn.LocalAddr())
		}
		_ = conn.Close()
	}
}

func TestDefaultDatagramDial(t *testing.T) {
	e, err := New(Config{Network: "udp", Local: addrList("127.0.0.1"), NoMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := e.Dial(t.Context(), "127.0.0.1", 9)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, ok := conn.(*net.UDPConn); !ok || conn.RemoteAddr().String() != "127.0.0.1:9" {
		t.Errorf("%T to %v", conn, conn.RemoteAddr())
	}
}
