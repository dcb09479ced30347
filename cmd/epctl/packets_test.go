package main

import (
	"net"
	"net/netip"
	"testing"
)

// ownAddr is an address such as plugins have of their own.
type ownAddr struct {
	netip.AddrPort
	Local     netip.Addr
	Interface int
}

func (ownAddr) Network() string { return "udp" }

// oddAddr has the names, and not the types.
type oddAddr struct {
	*net.UDPAddr
	Local     string
	Interface string
}

func TestArrivalIsReadFromAnAddressThatTellsIt(t *testing.T) {
	local := netip.MustParseAddr("ff02::fb")
	for _, test := range []struct {
		from  net.Addr
		to    netip.Addr
		index int
	}{
		{nil, netip.Addr{}, 0},
		{(*net.UDPAddr)(nil), netip.Addr{}, 0},
		{&net.UDPAddr{Port: 1}, netip.Addr{}, 0},
		{ownAddr{Local: local, Interface: 7}, local, 7},
		{&ownAddr{Local: local, Interface: 7}, local, 7},
		{oddAddr{Local: "x", Interface: "7"}, netip.Addr{}, 0},
	} {
		if to, index := arrival(test.from); to != test.to || index != test.index {
			t.Errorf("%#v: %v, %d", test.from, to, index)
		}
	}
}

func TestPacketLine(t *testing.T) {
	from, to := &net.UDPAddr{IP: net.ParseIP("fe80::1"), Port: 5353, Zone: "eth0"}, &net.UDPAddr{IP: net.ParseIP("ff02::fb"), Port: 5353, Zone: "eth0"}
	p := packet{from: from, to: to, device: "eth0", data: []byte("a\x1b[31m\r\n")}
	if got, want := p.line(false), `[fe80::1%eth0]:5353 to [ff02::fb%eth0]:5353 on eth0, 8 bytes: a\x1b[31m\r\n`+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := p.line(true), "[fe80::1%eth0]:5353 to [ff02::fb%eth0]:5353 on eth0, 8 bytes: a\x1b[31m\r\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
