package alliface

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strings"
)

// A Pattern matches addresses: those of an IP prefix, or those of the interfaces whose name a glob matches.
type Pattern struct {
	text   string
	prefix netip.Prefix // not valid where text is a glob
}

// UnmarshalText reads a prefix, an address, which is the prefix of just that address, or a glob in the syntax of
// path.Match for the name of an interface.
func (p *Pattern) UnmarshalText(text []byte) error {
	p.text = string(text)
	if addr, err := netip.ParseAddr(p.text); err == nil {
		if addr.Zone() != "" {
			return fmt.Errorf("%s has a zone: write the address without it, or the interface %s", addr, addr.Zone())
		}
		p.prefix = netip.PrefixFrom(addr, addr.BitLen())
		return mapped(addr)
	}
	if strings.ContainsAny(p.text, "/:") { // neither can be in the name of an interface
		return p.parsePrefix()
	}
	if p.text == "" {
		return errors.New("is empty: the name of an interface, or a prefix such as 192.0.2.0/24")
	}
	if _, err := path.Match(p.text, ""); err != nil {
		return fmt.Errorf("%q is no pattern: *, ? and [a-z] stand for characters of an interface's name", p.text)
	}
	return nil
}

func (p *Pattern) parsePrefix() (err error) {
	p.prefix, err = netip.ParsePrefix(p.text)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no prefix such as 192.0.2.0/24 or 2001:db8::/32, and no name of an interface", p.text)
	case p.prefix.Addr().Is4In6():
		return mapped(p.prefix.Addr())
	case p.prefix.Masked() != p.prefix:
		return fmt.Errorf("%s has bits behind the prefix: write %s, or %s for the one address",
			p.prefix, p.prefix.Masked(), p.prefix.Addr())
	}
	return nil
}

func mapped(a netip.Addr) error {
	if a.Is4In6() {
		return fmt.Errorf("%s is an IPv4 address in IPv6 form; write %s", a, a.Unmap())
	}
	return nil
}

// Matches says whether the pattern matches an address, which has no zone, of the interface called name.
func (p Pattern) Matches(name string, addr netip.Addr) bool {
	if p.prefix.IsValid() {
		return p.prefix.Contains(addr)
	}
	matches, _ := path.Match(p.text, name)
	return matches
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }
