package happyeyeballs

import (
	"fmt"
	"net/netip"
)

// Family says which address families are used, and which goes first.
type Family uint8

// The families. Under AnyFamily RFC 6724 decides which one goes first, as a rule IPv6.
const (
	AnyFamily  Family = iota // "any"
	IPv4Only                 // "4"
	IPv6Only                 // "6"
	PreferIPv4               // "prefer4"
	PreferIPv6               // "prefer6"
)

var familyNames = [...]string{"any", "4", "6", "prefer4", "prefer6"}

// String is the word that UnmarshalText reads.
func (f Family) String() string {
	if int(f) >= len(familyNames) {
		return fmt.Sprintf("Family(%d)", uint8(f))
	}
	return familyNames[f]
}

// MarshalText is the counterpart of UnmarshalText.
func (f Family) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads "any", "4", "6", "prefer4" or "prefer6".
func (f *Family) UnmarshalText(text []byte) error {
	for i, name := range familyNames {
		if name == string(text) {
			*f = Family(i)
			return nil
		}
	}
	return fmt.Errorf("%q is not a family: any, 4, 6, prefer4 or prefer6", text)
}

// prefers4 reports whether IPv4 is the family whose answer is waited for.
func (f Family) prefers4() bool { return f == PreferIPv4 || f == IPv4Only }

// familyOf names the family of an address.
func familyOf(a netip.Addr) string {
	if a.Unmap().Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// network is what a resolver is asked for the one family of IPv4Only or IPv6Only.
func (f Family) network() string {
	if f == IPv4Only {
		return "ip4"
	}
	return "ip6"
}

// long names the one family of IPv4Only or IPv6Only.
func (f Family) long() string { return "IPv" + f.String() }
