package alliface

import (
	"math/bits"
	"net/netip"
	"strconv"

	"github.com/epctl/endpoint/internal/packetinfo"
)

// socketFor returns the socket that to has to leave by.
func (c *PacketConn) socketFor(to packetinfo.Info) (*packetSocket, error) {
	best, mark := (*packetSocket)(nil), 0
	for _, b := range c.set.bindings() {
		if b.Addr.Is4() != to.Peer.Addr().Is4() {
			continue
		}
		s := b.socket.(*packetSocket)
		if b.Addr.IsUnspecified() {
			return s, nil
		}
		if to.Local.IsValid() {
			if b.isLocalOf(to) {
				return s, nil
			}
			continue
		}
		if m := b.suits(to); best == nil || m > mark {
			best, mark = s, m
		}
	}
	if best == nil {
		return nil, errNotHere
	}
	return best, nil
}

// isLocalOf says whether t is the local address that to asks for.
func (t Target) isLocalOf(to packetinfo.Info) bool {
	if t.Addr.WithZone("") != to.Local.WithZone("") {
		return false
	}
	return t.Addr.Zone() == "" || to.Interface == t.Index || t.isZone(to.Local.Zone()) || t.isZone(to.Peer.Addr().Zone())
}

// suits marks t as the source of a datagram to a peer: an address of the same kind, on the interface where the peer has
// to be, and of those the one that has the most leading bits in common with the peer (RFC 6724 section 5, rules 2 and 8).
func (t Target) suits(to packetinfo.Info) int {
	peer := to.Peer.Addr()
	mark := commonBits(t.Addr, peer)
	if kindOf(t.Addr) == kindOf(peer) {
		mark += 256
	}
	if peer.Is6() && peer.IsLinkLocalUnicast() && (t.isZone(peer.Zone()) || peer.Zone() == "" && to.Interface == t.Index) {
		mark += 512
	}
	if kindOf(t.Addr) == global {
		mark += 128
	}
	return mark
}

func (t Target) isZone(zone string) bool {
	return zone != "" && (zone == t.Interface || zone == strconv.Itoa(t.Index))
}

type kind uint8

const (
	global kind = iota
	onLink
	loopback
)

func kindOf(a netip.Addr) kind {
	switch {
	case a.IsLoopback():
		return loopback
	case a.Is6() && a.IsLinkLocalUnicast():
		return onLink
	}
	return global
}

// commonBits returns how many leading bits two addresses of one family share.
func commonBits(a, b netip.Addr) int {
	x, y := a.AsSlice(), b.AsSlice()
	for i := range min(len(x), len(y)) {
		if different := x[i] ^ y[i]; different != 0 {
			return 8*i + bits.LeadingZeros8(different)
		}
	}
	return 8 * min(len(x), len(y))
}
