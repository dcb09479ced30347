package sockaddr

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/epctl/endpoint/internal/netif"
)

// Indexed returns a with its zone as an index, in the form that package net can't mistake for a name: it looks a zone
// up as a name first, in a list of interfaces that may be a minute old, and only then reads it as a number. No
// interface of Linux has a name of 16 characters. The error is that of [netif.ZoneIndex].
func Indexed(a netip.Addr) (netip.Addr, error) {
	if a.Zone() == "" {
		return a, nil
	}
	index, err := netif.ZoneIndex(a.Zone())
	if err != nil {
		return a, err
	}
	return a.WithZone(fmt.Sprintf("%016d", index)), nil
}

// Index reads the index back from what [Indexed] returned, 0 where there is no zone.
func Index(a netip.Addr) int {
	n, _ := strconv.Atoi(a.Zone())
	return n
}

// Named puts the zone that the caller gave into a link-local address of a socket, where the kernel or package net's old
// list left another name for the interface or none: a listening MPTCP socket tells no zone at all, for one. Package net
// hands out one and the same *net.TCPAddr or *net.UDPAddr for a socket each time, and nobody may have seen it yet.
func Named(addr net.Addr, zone string) {
	if zone == "" {
		return
	}
	switch a := addr.(type) {
	case *net.TCPAddr:
		if zoned(a.IP) {
			a.Zone = zone
		}
	case *net.UDPAddr:
		if zoned(a.IP) {
			a.Zone = zone
		}
	}
}

func zoned(ip net.IP) bool { return ip.To4() == nil && ip.IsLinkLocalUnicast() }
