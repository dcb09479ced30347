package packetinfo

import (
	"net/netip"
	"strconv"
	"sync"
	"syscall"

	"github.com/epctl/endpoint/internal/netif"
)

// zones turns the indexes of interfaces into zones and back. What it remembers it has the kernel confirm each time, so
// it is never old, and the kernel answers for the network namespace that the socket is in.
type zones struct {
	raw syscall.RawConn

	mu     sync.Mutex
	ask    nameRequest
	names  map[int]netip.Addr       // an address with the zone, so that the zone is not made anew for each datagram
	byZone map[string]zoneInterface // by the zone as it was given
}

type zoneInterface struct {
	index int
	name  string
}

// maxRemembered is how many interfaces are remembered; then it begins anew.
const maxRemembered = 256

func (z *zones) init(raw syscall.RawConn) {
	z.raw = raw
	z.ask.init()
	z.names, z.byZone = map[int]netip.Addr{}, map[string]zoneInterface{}
}

// put returns a with the name of the interface as its zone, or the index where it has no name any more.
func (z *zones) put(a netip.Addr, index int) netip.Addr {
	z.mu.Lock()
	defer z.mu.Unlock()
	known, ok := z.names[index]
	name, found := z.ask.name(z.raw, index)
	switch {
	case ok && found && known.Zone() == string(name):
	case found:
		known = z.remember(index, string(name))
	default:
		return a.WithZone(strconv.Itoa(index))
	}
	return a.WithZone(known.Zone())
}

func (z *zones) remember(index int, name string) netip.Addr {
	if len(z.names) >= maxRemembered {
		clear(z.names)
	}
	z.names[index] = netip.IPv6LinkLocalAllNodes().WithZone(name)
	return z.names[index]
}

// index returns the index of the interface that zone names. The hint is one that may be it.
func (z *zones) index(zone string, hint int) (int, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if hint != 0 && z.isNamed(hint, zone) {
		return hint, nil
	}
	if known, ok := z.byZone[zone]; ok && z.isNamed(known.index, known.name) {
		return known.index, nil
	}
	index, err := netif.ZoneIndex(zone)
	if err != nil {
		return 0, err
	}
	if name, found := z.ask.name(z.raw, index); found {
		if len(z.byZone) >= maxRemembered {
			clear(z.byZone)
		}
		z.byZone[zone] = zoneInterface{index, string(name)}
	}
	return index, nil
}

func (z *zones) isNamed(index int, zone string) bool {
	name, found := z.ask.name(z.raw, index)
	return found && string(name) == zone
}
