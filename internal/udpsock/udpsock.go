// Package udpsock binds and connects UDP sockets for the plugins whose datagrams are unicast, and hands out plain
// *net.UDPConn.
//
// It adds to package net what that leaves out or gets wrong: one family means one family, a zone is looked up when it
// is used and stays in the addresses under the name that was given, a socket has the options of package sockopt, and a
// connected one may have a flow label and cut what is written into many datagrams.
package udpsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcpsock"
)

// networkOf returns what package net calls UDP over the family of a; anything that is not IPv4 counts as IPv6.
func networkOf(a netip.Addr) string {
	if a.Is4() {
		return "udp4"
	}
	return "udp6"
}

// indexed returns a with its zone as an index, in the form that package net can't mistake for a name: it looks a zone
// up as a name first, in a list of interfaces that may be a minute old, and only then reads it as a number. No
// interface of Linux has a name of 16 characters.
func indexed(a netip.Addr) (addr netip.Addr, index int, err error) {
	if a.Zone() == "" {
		return a, 0, nil
	}
	index, err = netif.ZoneIndex(a.Zone())
	if err != nil {
		return a, 0, err
	}
	return a.WithZone(fmt.Sprintf("%016d", index)), index, nil
}

// named puts the zone that the caller gave into an address of a socket, where package net's list may have left another
// name for the interface. Package net hands out one and the same *net.UDPAddr for a socket each time, and nobody has
// seen it yet.
func named(addr net.Addr, zone string) {
	if a, ok := addr.(*net.UDPAddr); ok && zone != "" && a.IP.To4() == nil && a.IP.IsLinkLocalUnicast() {
		a.Zone = zone
	}
}

// netAddr is net.UDPAddrFromAddrPort, with a nil interface for the zero AddrPort.
func netAddr(a netip.AddrPort) net.Addr {
	if !a.IsValid() {
		return nil
	}
	return net.UDPAddrFromAddrPort(a)
}

// asGiven puts the addresses as they were given into an error of package net, which has zones as indexes.
func asGiven(err error, source, addr net.Addr) error {
	var op *net.OpError
	if errors.As(err, &op) {
		op.Source, op.Addr = source, addr
	}
	return err
}

// addrProblems returns what is wrong with the parameter param, an address.
func addrProblems(network, param string, a netip.Addr) []sockopt.Problem {
	message := tcpsock.AddrProblem(network, a)
	if message == "" {
		return nil
	}
	return []sockopt.Problem{{Param: param, Message: a.String() + " " + message}}
}

func portProblems(param string, port uint16) []sockopt.Problem {
	if port != 0 {
		return nil
	}
	return []sockopt.Problem{{Param: param, Message: strconv.Itoa(int(port)) + " is no port to send to"}}
}
