// Package tcpsock listens on and connects TCP sockets for the plugins tcp, tcp4 and tcp6, and hands out plain
// *net.TCPListener and *net.TCPConn.
//
// It adds to package net what that leaves out or gets wrong: one family means one family, the backlog reaches
// listen(2), a zone is looked up when it is used and stays in the addresses under the name that was given, a socket
// has the options of package sockopt, and a connection may have a flow label.
package tcpsock

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/sockopt"
)

// networkOf returns what package net calls TCP over the family of a; anything that is not IPv4 counts as IPv6.
func networkOf(a netip.Addr) string {
	if a.Is4() {
		return "tcp4"
	}
	return "tcp6"
}

// AddrProblem returns what makes a unusable as the unicast address of an endpoint over network ("tcp4", "tcp6", or
// "tcp" for either; "udp4" and so on likewise), as a message without the address, or "". It does no I/O: whether the
// zone exists shows when it is used. The unspecified address is fine here, because a listener may want it.
func AddrProblem(network string, a netip.Addr) string {
	v6only, v4only := network[len(network)-1] == '6', network[len(network)-1] == '4'
	switch {
	case !a.IsValid():
		return "is no address"
	case a.Is4In6():
		return fmt.Sprintf("is an IPv4 address in IPv6 form; write %s and use IPv4", a.Unmap())
	case v6only && a.Is4():
		return "is an IPv4 address; this endpoint is IPv6 only"
	case v4only && !a.Is4():
		return "is an IPv6 address; this endpoint is IPv4 only"
	case a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "is a multicast or broadcast address"
	}
	return zoneProblem(a)
}

// zoneProblem: the kernel wants a zone for link-local addresses and ignores it for all others (RFC 4007 section 11).
func zoneProblem(a netip.Addr) string {
	needsZone := a.Is6() && a.IsLinkLocalUnicast()
	switch {
	case needsZone && a.Zone() == "":
		return fmt.Sprintf("is link-local and needs a zone, the interface: %s%%eth0 or %s%%2", a, a)
	case needsZone && isZero(a.Zone()):
		return "has the zone 0, which is no interface"
	case !needsZone && a.Zone() != "":
		return "is not link-local, so a zone means nothing there"
	}
	return ""
}

func isZero(zone string) bool {
	n, err := strconv.ParseUint(zone, 10, 32)
	return err == nil && n == 0
}

// indexed returns a with its zone as an index, in the form that package net can't mistake for a name: it looks a zone
// up as a name first, in a list of interfaces that may be a minute old, and only then reads it as a number. No
// interface of Linux has a name of 16 characters.
func indexed(a netip.Addr) (netip.Addr, error) {
	if a.Zone() == "" {
		return a, nil
	}
	index, err := netif.ZoneIndex(a.Zone())
	if err != nil {
		return a, err
	}
	return a.WithZone(fmt.Sprintf("%016d", index)), nil
}

// zoneIndex reads back what indexed wrote.
func zoneIndex(a netip.Addr) int {
	n, _ := strconv.Atoi(a.Zone())
	return n
}

// named puts the zone that the caller gave into an address of a socket, where the kernel or package net's old list
// left another name for the interface or none: a listening MPTCP socket tells no zone at all, for one. Package net
// hands out one and the same *net.TCPAddr for a socket each time, and nobody has seen it yet.
func named(addr net.Addr, zone string) {
	if a, ok := addr.(*net.TCPAddr); ok && zone != "" && a.IP.To4() == nil && a.IP.IsLinkLocalUnicast() {
		a.Zone = zone
	}
}

// netAddr is net.TCPAddrFromAddrPort, with a nil interface for the zero AddrPort.
func netAddr(a netip.AddrPort) net.Addr {
	if !a.IsValid() {
		return nil
	}
	return net.TCPAddrFromAddrPort(a)
}

// problems joins what is wrong with the parameter param, an address, to the list.
func appendAddrProblem(list []sockopt.Problem, network, param string, a netip.Addr) []sockopt.Problem {
	if message := AddrProblem(network, a); message != "" {
		return append(list, sockopt.Problem{Param: param, Message: a.String() + " " + message})
	}
	return list
}
