// Package netif is the one place that turns a zone into an interface index and back, lists the interfaces of the
// machine with their addresses and the flags that package net hides, and watches them.
//
// [Interfaces] lists once. A [Watcher] keeps the list current: read [Watcher.Snapshot] after each value from
// [Watcher.Changes], and either make what you hold agree with the snapshot or walk through [Diff] of the last snapshot
// and this one. On Linux the news come from rtnetlink(7); elsewhere the list is read every second.
//
// All of it speaks of the network namespace of the thread that calls, and a Watcher stays in the namespace of the
// thread that made it, whichever thread it is used from.
package netif

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// An Interface is a network interface and its addresses.
type Interface struct {
	Index int
	Name  string
	MTU   int // largest packet in bytes
	// Flags are those of package net: up as configured, running as the link really is, multicast, loopback, …
	Flags net.Flags
	// Generation tells interfaces apart that had the same index one after the other: deleted and made anew, or gone to
	// another namespace and back. What was joined or bound on the former is dead on the latter, although a join says
	// that the membership is there. It counts also where the system took IPv6 off the interface in between because its
	// MTU was too small, which ends memberships in the same way. It is meaningful between snapshots of one Watcher only.
	Generation uint64
	// Addrs are the unicast addresses, IPv4 first, in the order of netip.Addr.Compare. They are shared: do not write to
	// them.
	Addrs []Address
}

// Up says whether the interface is up, as configured; its link may still have no carrier (net.FlagRunning).
func (i Interface) Up() bool { return i.Flags&net.FlagUp != 0 }

// Multicast says whether the interface is up and takes part in multicast.
func (i Interface) Multicast() bool { return i.Up() && i.Flags&net.FlagMulticast != 0 }

// Zoned returns a with the interface's name as its zone where a needs one, which is where it is an IPv6 link-local
// address; other addresses come back without a zone.
func (i Interface) Zoned(a netip.Addr) netip.Addr {
	if a.Is6() && (a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast()) {
		return a.WithZone(i.Name)
	}
	return a.WithZone("")
}

func (i Interface) equal(o Interface) bool {
	return i.sameLink(o) && i.Generation == o.Generation && slices.Equal(i.Addrs, o.Addrs)
}

// sameLink compares what Diff calls a change of an interface.
func (i Interface) sameLink(o Interface) bool {
	return i.Index == o.Index && i.Name == o.Name && i.MTU == o.MTU && i.Flags == o.Flags
}

// A Snapshot is the interfaces of a moment. It is shared: do not write to it.
type Snapshot struct {
	Interfaces []Interface // in the order of their indexes
	// Lost counts how often the system gave a Watcher more news than it could hold. The snapshot is right again, but
	// what happened in between is not known: an interface that looks the same may have been deleted and made anew, so a
	// membership that must be there has to be left and joined again. A Watcher that polls counts nothing.
	Lost uint64
}

// Interfaces lists the interfaces, in the order of their indexes, in the network namespace of the calling thread. On
// systems other than Linux the flags of addresses are not known (see [AddrFlagsKnown]).
func Interfaces(ctx context.Context) (Snapshot, error) {
	list, err := listOnce(ctx)
	return Snapshot{Interfaces: list}, err
}

// ByIndex returns the interface with the given index.
func (s Snapshot) ByIndex(index int) (Interface, bool) {
	at, found := find(s.Interfaces, index)
	if !found {
		return Interface{}, false
	}
	return s.Interfaces[at], true
}

// ByName returns the interface with the given name.
func (s Snapshot) ByName(name string) (Interface, bool) {
	for _, i := range s.Interfaces {
		if i.Name == name {
			return i, true
		}
	}
	return Interface{}, false
}

// ByAddr returns the interface that has address a, and how it has it. A zone of a, name or decimal index, must agree;
// without a zone the first interface in the order of indexes is returned.
func (s Snapshot) ByAddr(a netip.Addr) (Interface, Address, bool) {
	zone, bare := a.Zone(), a.WithZone("")
	for _, i := range s.Interfaces {
		if zone != "" && zone != i.Name && zone != strconv.Itoa(i.Index) {
			continue
		}
		for _, have := range i.Addrs {
			if have.Prefix.Addr() == bare {
				return i, have, true
			}
		}
	}
	return Interface{}, Address{}, false
}

// Find returns the interface that text means: its name, its index in decimal, or an address that it has, an IPv6
// link-local one with its zone. The error for none is ErrNoInterface and lists the interfaces that there are.
func (s Snapshot) Find(text string) (Interface, error) {
	if i, ok := s.ByName(text); ok {
		return i, nil
	}
	if index, ok := decimalIndex(text); ok {
		if i, ok := s.ByIndex(index); ok {
			return i, nil
		}
	}
	if a, err := netip.ParseAddr(text); err == nil {
		if i, _, ok := s.ByAddr(a); ok {
			return i, nil
		}
	}
	return Interface{}, noInterface(strconv.Quote(text), s.Interfaces)
}

func (s Snapshot) equal(o Snapshot) bool {
	return s.Lost == o.Lost && slices.EqualFunc(s.Interfaces, o.Interfaces, Interface.equal)
}

// find returns where in list, which is ordered, the interface with the given index is or would be.
func find(list []Interface, index int) (at int, found bool) {
	return slices.BinarySearchFunc(list, index, func(i Interface, index int) int { return cmp.Compare(i.Index, index) })
}

func byIndex(a, b Interface) int { return cmp.Compare(a.Index, b.Index) }
