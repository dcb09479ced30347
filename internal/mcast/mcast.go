// Package mcast keeps the multicast memberships of one UDP socket where they are wanted, while interfaces come, go and
// are made anew, and chooses the interface that the socket sends to groups by.
//
// A membership is wanted by a [Selector], which says of what interfaces; the kernel has it by an interface index, which
// ends with the interface. [Memberships] follows the interfaces by package netif: what is wanted on an interface is
// joined when it comes and left when it is gone, so that nothing is left behind in the socket, whose memberships the
// kernel counts.
//
// It works on Linux; elsewhere [Open] fails (see [Supported]).
package mcast

import (
	"net/netip"
	"slices"

	"github.com/epctl/endpoint/internal/packetinfo"
)

// Supported says whether this system can do what the package is for: it must tell the group and the interface of each
// datagram.
const Supported = packetinfo.Supported

// A Channel is what a membership is of: a group and, for source-specific membership, one source (RFC 4607 section 3);
// the zero Source stands for any. Neither has a zone.
type Channel struct{ Group, Source netip.Addr }

// String returns the group, or "source → group".
func (c Channel) String() string {
	if c.Source.IsValid() {
		return c.Source.String() + " → " + c.Group.String()
	}
	return c.Group.String()
}

func (c Channel) compare(o Channel) int {
	if order := c.Group.Compare(o.Group); order != 0 {
		return order
	}
	return c.Source.Compare(o.Source)
}

// A Membership is a channel that is joined on an interface.
type Membership struct {
	Channel
	Index     int
	Interface string // its name
}

// SourceSpecific reports whether group is in the range that is for source-specific multicast: 232.0.0.0/8 or ff3x::/32
// (RFC 4607 section 1).
func SourceSpecific(group netip.Addr) bool {
	if group.Is4() {
		return group.As4()[0] == 232
	}
	b := group.As16()
	return b[0] == 0xff && b[1]>>4 == 3 && b[2] == 0 && b[3] == 0
}

// The scopes of IPv6 groups that matter here (RFC 4291 section 2.7).
const (
	scopeReserved       = 0
	scopeInterfaceLocal = 1
	scopeLinkLocal      = 2
)

func scope6(group netip.Addr) byte { return group.As16()[1] & 0xf }

// InterfaceLocal reports whether datagrams to group never leave the interface, so that they are heard on the loopback
// interface only.
func InterfaceLocal(group netip.Addr) bool {
	return group.Is6() && scope6(group) == scopeInterfaceLocal
}

// LinkLocal reports whether group is another one on each link: ffx2::/16, or 224.0.0.0/24, which no router forwards (RFC
// 5771 section 4).
func LinkLocal(group netip.Addr) bool {
	if group.Is4() {
		b := group.As4()
		return b[0] == 224 && b[1] == 0 && b[2] == 0
	}
	return scope6(group) == scopeLinkLocal
}

// ReservedScope reports whether group has the scope 0, which must not be used (RFC 4291 section 2.7).
func ReservedScope(group netip.Addr) bool { return group.Is6() && scope6(group) == scopeReserved }

// sorted returns the keys of a set of channels in a fixed order.
func sorted(set map[Channel]error) []Channel {
	list := make([]Channel, 0, len(set))
	for c := range set {
		list = append(list, c)
	}
	slices.SortFunc(list, Channel.compare)
	return list
}
