package happyeyeballs

import (
	"math/bits"
	"net/netip"
)

// traits are what RFC 6724 derives from an address alone.
type traits struct {
	scope      uint8
	precedence uint8
	label      uint8
}

func traitsOf(a netip.Addr) traits {
	p := policyFor(a)
	return traits{scope: scopeOf(a), precedence: p.precedence, label: p.label}
}

type policy struct {
	prefix            netip.Prefix
	precedence, label uint8
}

// policyTable is the default table of RFC 6724 section 2.1, longest prefix first.
var policyTable = [...]policy{
	{netip.MustParsePrefix("::1/128"), 50, 0},
	{netip.MustParsePrefix("::ffff:0:0/96"), 35, 4},
	{netip.MustParsePrefix("::/96"), 1, 3},
	{netip.MustParsePrefix("2001::/32"), 5, 5},
	{netip.MustParsePrefix("2002::/16"), 30, 2},
	{netip.MustParsePrefix("3ffe::/16"), 1, 12},
	{netip.MustParsePrefix("fec0::/10"), 1, 11},
	{netip.MustParsePrefix("fc00::/7"), 3, 13},
	{netip.MustParsePrefix("::/0"), 40, 1},
}

func policyFor(a netip.Addr) policy {
	a16 := netip.AddrFrom16(a.As16()) // no zone, IPv4 as IPv4-mapped: Prefix.Contains wants both
	for _, p := range policyTable {
		if p.prefix.Contains(a16) {
			return p
		}
	}
	return policy{}
}

// Scopes, RFC 6724 section 3.1 and RFC 4291 section 2.7.
const (
	scopeLinkLocal = 0x2
	scopeSiteLocal = 0x5
	scopeGlobal    = 0xe
)

// scopeOf maps IPv4 addresses as section 3.2 has it: loopback and 169.254/16 are link-local, the rest, private addresses
// too, is global.
func scopeOf(a netip.Addr) uint8 {
	b := a.As16()
	switch {
	case a.Is6() && a.IsMulticast():
		return b[1] & 0xf
	case a.IsLoopback(), a.IsLinkLocalUnicast():
		return scopeLinkLocal
	case a.Is6() && b[0] == 0xfe && b[1]&0xc0 == 0xc0:
		return scopeSiteLocal
	}
	return scopeGlobal
}

// commonPrefix is CommonPrefixLen of RFC 6724 section 2.2 for two IPv6 addresses: no more than the 64 bits that are
// not the interface identifier.
func commonPrefix(a, b netip.Addr) int {
	a16, b16 := a.As16(), b.As16()
	for i := range 8 {
		if diff := a16[i] ^ b16[i]; diff != 0 {
			return 8*i + bits.LeadingZeros8(diff)
		}
	}
	return 64
}
