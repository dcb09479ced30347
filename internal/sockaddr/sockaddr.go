// Package sockaddr has what TCP and UDP sockets do alike with their addresses: what is wrong with one that was given,
// zones that are looked up when they are used and stay under the name that was given, and what package net calls it all.
package sockaddr

import (
	"errors"
	"net"
	"net/netip"
)

// A Transport is what package net calls it where either family may be meant.
type Transport string

// The transports.
const (
	TCP Transport = "tcp"
	UDP Transport = "udp"
)

// Network returns what package net calls t over the family of a, such as "tcp4"; anything that is not IPv4 counts as
// IPv6.
func (t Transport) Network(a netip.Addr) string {
	switch {
	case t == TCP && a.Is4():
		return "tcp4"
	case t == TCP:
		return "tcp6"
	case a.Is4():
		return "udp4"
	}
	return "udp6"
}

// Narrow returns the network that is left of network where it is t itself, and the local address or a flow label
// decides the family. The zero Addr and the label 0 do not.
func (t Transport) Narrow(network string, local netip.Addr, flowLabel uint32) string {
	switch {
	case network != string(t):
		return network
	case flowLabel != 0:
		return t.Network(netip.IPv6Unspecified())
	case local.IsValid():
		return t.Network(local)
	}
	return network
}

// NetAddr returns a as a *net.TCPAddr or a *net.UDPAddr, nil for the zero AddrPort. The IP is nil where only the port is
// given, which package net takes for either family.
func (t Transport) NetAddr(a netip.AddrPort) net.Addr {
	switch {
	case a == netip.AddrPort{}:
		return nil
	case t == TCP:
		return net.TCPAddrFromAddrPort(a)
	}
	return net.UDPAddrFromAddrPort(a)
}

// AsGiven puts the addresses as they were given into an error of package net, which has zones as indexes. The zero
// AddrPort is none.
func (t Transport) AsGiven(err error, source, addr netip.AddrPort) error {
	var op *net.OpError
	if errors.As(err, &op) {
		op.Source, op.Addr = t.NetAddr(source), t.NetAddr(addr)
	}
	return err
}
