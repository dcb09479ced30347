//go:build !linux

package netif

import (
	"context"
	"net"
	"net/netip"
)

// AddrFlagsKnown says whether the system tells the flags of addresses. Where it does not, a tentative address looks
// usable, and only the EADDRNOTAVAIL of bind shows that it is not.
const AddrFlagsKnown = false

func newSource() (source, error) { return newPollSource(listOnce), nil }

func listOnce(ctx context.Context) ([]Interface, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var events []event
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			continue // it is gone
		}
		link := Interface{Index: i.Index, Name: i.Name, MTU: i.MTU, Flags: i.Flags}
		events = append(events, event{op: linkSet, link: link, index: i.Index})
		for _, a := range addrs {
			if address, ok := fromNet(a); ok {
				events = append(events, event{op: addrSet, index: i.Index, addr: address})
			}
		}
	}
	return assemble(events), nil
}

func fromNet(a net.Addr) (Address, bool) {
	network, ok := a.(*net.IPNet)
	if !ok {
		return Address{}, false
	}
	ip, ok := netip.AddrFromSlice(network.IP)
	if !ok {
		return Address{}, false
	}
	ip = ip.Unmap()
	ones, _ := network.Mask.Size()
	prefix := netip.PrefixFrom(ip, ones)
	return Address{Prefix: prefix, Scope: scopeOf(ip)}, prefix.IsValid()
}

func scopeOf(ip netip.Addr) Scope {
	switch {
	case ip.IsLoopback():
		return Host
	case ip.IsLinkLocalUnicast():
		return Link
	}
	return Global
}
