package wire

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// AddressOf is addr as it is sent, nil for none.
func AddressOf(addr net.Addr) *Address {
	if addr == nil {
		return nil
	}
	return &Address{Network: Valid(addr.Network()), Text: Valid(addr.String())}
}

// Valid makes text fit for protobuf, which takes UTF-8 only: a path need not be that.
func Valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// Addr is the address that a process tells: of the type that package net has for the network, where the text is of its
// form. Nil is no address.
func (a *Address) Addr() (net.Addr, error) {
	if a == nil {
		return nil, nil
	}
	const most = 255
	if len(a.Network) > maxName || len(a.Text) > most || strings.ContainsFunc(a.Network+a.Text, unprintable) {
		return nil, fmt.Errorf("%q of network %q can't be an address", Clean(a.Text, most), Clean(a.Network, maxName))
	}
	switch a.Network {
	case "tcp", "tcp4", "tcp6":
		if ap, err := netip.ParseAddrPort(a.Text); err == nil {
			return net.TCPAddrFromAddrPort(ap), nil
		}
	case "udp", "udp4", "udp6":
		if ap, err := netip.ParseAddrPort(a.Text); err == nil {
			return net.UDPAddrFromAddrPort(ap), nil
		}
	case "unix", "unixgram", "unixpacket":
		return &net.UnixAddr{Net: a.Network, Name: a.Text}, nil
	}
	return otherAddr{a.Network, a.Text}, nil
}

// An otherAddr is an address of a network that package net does not know.
type otherAddr struct{ network, text string }

func (a otherAddr) Network() string { return a.network }
func (a otherAddr) String() string  { return a.text }
