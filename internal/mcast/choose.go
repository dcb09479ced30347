package mcast

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/epctl/endpoint/internal/netif"
)

// errAmbiguous and errNone are what choose says where it can't tell which interface is meant.
var (
	errAmbiguous = errors.New("more than one interface could be meant; say which")
	errNone      = errors.New("no interface is up that takes part in multicast; say which is meant, such as lo for this host only")
)

// choose returns the interface that is meant for group where none is named: the loopback interface for an
// interface-local group, the only one that takes part in multicast where there is no other, and else the one that the
// routes have for the group. A link-local group means another thing on each link, so there the routes don't decide.
func choose(snapshot netif.Snapshot, group netip.Addr) (Selector, error) {
	candidates := candidates(snapshot, group)
	switch {
	case len(candidates) == 0:
		return Selector{}, errNone
	case len(candidates) == 1:
		return Selector{text: candidates[0].Name}, nil
	case LinkLocal(group):
		return Selector{}, fmt.Errorf("%s is a group of one link, and %w: %s", group, errAmbiguous, names(candidates))
	}
	return byRoute(snapshot, group)
}

func candidates(snapshot netif.Snapshot, group netip.Addr) []netif.Interface {
	local := InterfaceLocal(group)
	var list []netif.Interface
	for _, i := range snapshot.Interfaces {
		if loopback := i.Flags&net.FlagLoopback != 0; local && loopback && i.Up() || !local && !loopback && i.Multicast() {
			list = append(list, i)
		}
	}
	return list
}

func names(list []netif.Interface) string {
	var text []string
	for _, i := range list {
		text = append(text, i.Name)
	}
	return strings.Join(text, ", ")
}

// byRoute connects a socket, which sends nothing, and sees which address of its own the system takes.
func byRoute(snapshot netif.Snapshot, group netip.Addr) (Selector, error) {
	probe, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(group, 9)))
	if err != nil {
		return Selector{}, fmt.Errorf("no interface is said, and the routes have none for %s: %w", group, err)
	}
	defer probe.Close() //nolint:errcheck // nothing was written
	local := probe.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	var found []netif.Interface
	Selector{addr: local.WithZone("")}.visitAddr(snapshot, func(i netif.Interface) { found = append(found, i) })
	if len(found) != 1 {
		return Selector{}, fmt.Errorf("%w: %s", errAmbiguous, names(found))
	}
	return Selector{text: found[0].Name}, nil
}
