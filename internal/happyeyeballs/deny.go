package happyeyeballs

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A DenyRule is a set of addresses that must not be connected to: a prefix such as 10.0.0.0/8, an address, or a word.
//
//   - loopback: 127.0.0.0/8 and ::1, also the unspecified addresses 0.0.0.0/8 and ::, by which systems reach themselves
//   - linklocal: 169.254.0.0/16 (cloud metadata services live there) and fe80::/10
//   - multicast: 224.0.0.0/4, ff00::/8, and the IPv4 broadcast address
//   - private: all of these, and whatever else no public host has: RFC 1918, unique local (RFC 4193) and site-local
//     addresses, shared address space (RFC 6598), local NAT64 (RFC 8215), protocol assignments, benchmark networks,
//     240.0.0.0/4
//
// An IPv6 address that carries an IPv4 address for a translator or a tunnel (IPv4-mapped and -compatible, 64:ff9b::/96,
// 6to4) is in the set, too, when the carried one is.
type DenyRule struct {
	text     string
	prefixes []netip.Prefix
}

var denyWords = map[string][]string{
	"loopback":  {"127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128"},
	"linklocal": {"169.254.0.0/16", "fe80::/10"},
	"multicast": {"224.0.0.0/4", "ff00::/8", "255.255.255.255/32"},
	"private": {"127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128", "169.254.0.0/16", "fe80::/10", "224.0.0.0/4", "ff00::/8",
		"240.0.0.0/4", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15",
		"fc00::/7", "fec0::/10", "64:ff9b:1::/48"},
}

// ParseDenyRule reads a word, a prefix or an address without a zone.
func ParseDenyRule(s string) (DenyRule, error) {
	r := DenyRule{text: s}
	if words, ok := denyWords[s]; ok {
		for _, w := range words {
			r.prefixes = append(r.prefixes, netip.MustParsePrefix(w))
		}
		return r, nil
	}
	p, err := parsePrefix(s)
	if err != nil {
		return DenyRule{}, fmt.Errorf("%q is not private, loopback, linklocal, multicast, an address or a prefix", s)
	}
	r.prefixes = []netip.Prefix{p}
	return r, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		if err == nil && p.Addr().Is4In6() {
			err = fmt.Errorf("write it as an IPv4 prefix")
		}
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(s)
	if err == nil && a.Zone() != "" {
		err = fmt.Errorf("a zone has no place here")
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), err
}

// String is the text that the rule was read from.
func (r DenyRule) String() string { return r.text }

// MarshalText is the counterpart of UnmarshalText.
func (r DenyRule) MarshalText() ([]byte, error) { return []byte(r.text), nil }

// UnmarshalText is [ParseDenyRule].
func (r *DenyRule) UnmarshalText(text []byte) error {
	parsed, err := ParseDenyRule(string(text))
	if err == nil {
		*r = parsed
	}
	return err
}

// Contains reports whether the rule covers a, in whatever form a is written.
func (r DenyRule) Contains(a netip.Addr) bool {
	a = a.Unmap().WithZone("") // Prefix.Contains is false for an address with a zone
	if inner, ok := carried(a); ok && r.covers(inner) {
		return true
	}
	return r.covers(a)
}

func (r DenyRule) covers(a netip.Addr) bool {
	return slices.ContainsFunc(r.prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// A DeniedError says that an address was not dialed because a rule forbids it.
type DeniedError struct {
	Addr netip.Addr
	Rule DenyRule
}

func (e *DeniedError) Error() string { return fmt.Sprintf("denied by deny=%s", e.Rule) }

// DenyAny is a Config.Deny that refuses, with a [*DeniedError], what any of the rules covers. It is nil without rules.
func DenyAny(rules ...DenyRule) func(netip.Addr) error {
	if len(rules) == 0 {
		return nil
	}
	return func(a netip.Addr) error {
		for _, r := range rules {
			if r.Contains(a) {
				return &DeniedError{Addr: a, Rule: r}
			}
		}
		return nil
	}
}

// carriers are the prefixes whose addresses hold an IPv4 address, and at which byte.
var carriers = [...]struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("::/96"), 12},        // IPv4-compatible, RFC 4291
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64, RFC 6052
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4, RFC 3056
}

func carried(a netip.Addr) (netip.Addr, bool) {
	if a.IsLoopback() || a.IsUnspecified() {
		return netip.Addr{}, false // of the form ::n, but nobody's IPv4 address
	}
	b := a.As16()
	for _, c := range carriers {
		if c.prefix.Contains(a) {
			return netip.AddrFrom4([4]byte(b[c.at : c.at+4])), true
		}
	}
	return netip.Addr{}, false
}
