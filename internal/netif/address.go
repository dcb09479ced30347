package netif

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"
)

// An Address is a unicast address of an interface.
type Address struct {
	Prefix netip.Prefix // the address, without a zone, and the length of its network's prefix in bits
	Peer   netip.Addr   // the other end of a point-to-point link, invalid where there is none
	Scope  Scope
	Flags  AddrFlags // zero where the system does not tell them, see AddrFlagsKnown
}

// Usable says whether a socket can be bound to the address now: duplicate address detection is over and found nobody,
// or the address is optimistic (RFC 4429). A deprecated address is usable.
func (a Address) Usable() bool {
	return a.Flags&DADFailed == 0 && (a.Flags&Tentative == 0 || a.Flags&Optimistic != 0)
}

// String returns the prefix, the peer, the scope and the flags, as in "fe80::1/64 link tentative".
func (a Address) String() string {
	text := a.Prefix.String()
	if a.Peer.IsValid() {
		text += " peer " + a.Peer.String()
	}
	text += " " + a.Scope.String()
	if a.Flags != 0 {
		text += " " + a.Flags.String()
	}
	return text
}

// compare orders the addresses of an interface and is 0 for what is the same address, perhaps in another state. An
// interface has an IPv6 address once, an IPv4 address once for each prefix and peer.
func (a Address) compare(o Address) int {
	if order := a.Prefix.Addr().Compare(o.Prefix.Addr()); order != 0 || a.Prefix.Addr().Is6() {
		return order
	}
	return cmp.Or(a.Prefix.Bits()-o.Prefix.Bits(), a.Peer.Compare(o.Peer))
}

// AddrFlags are the states and kinds of an address that package net does not tell.
type AddrFlags uint16

// The flags, named as in ip-address(8).
const (
	Tentative  AddrFlags = 1 << iota // duplicate address detection is not over (RFC 4862 section 5.4): bind fails with EADDRNOTAVAIL
	DADFailed                        // another node has the address; it is tentative for ever
	Optimistic                       // usable although it is tentative (RFC 4429)
	Deprecated                       // its preferred lifetime is over (RFC 4862 section 5.5.4): still valid, not for new connections
	Temporary                        // made for privacy, replaced within days (RFC 8981)
	Secondary                        // IPv4: not the first address of its network
	Permanent                        // configured, as opposed to one with a lifetime
)

// String returns the names of the flags with spaces between them.
func (f AddrFlags) String() string {
	var names []string
	for i, name := range []string{
		"tentative", "dadfailed", "optimistic", "deprecated", "temporary", "secondary", "permanent",
	} {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// A Scope says how far an address reaches. The values are those of rt_scope_t in rtnetlink(7): the larger, the nearer.
type Scope uint8

// The scopes.
const (
	Global Scope = 0
	Site   Scope = 200
	Link   Scope = 253
	Host   Scope = 254
)

// String returns the scope's name as ip-address(8) has it, or its number where an administrator made up one.
func (s Scope) String() string {
	switch s {
	case Global:
		return "global"
	case Site:
		return "site"
	case Link:
		return "link"
	case Host:
		return "host"
	}
	return strconv.Itoa(int(s))
}
