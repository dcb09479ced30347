// Package hostname reads the host of an endpoint: an address literal, or a name in the form in which it is looked up.
package hostname

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// A Host is an address or a name.
type Host struct {
	Addr netip.Addr // the zero Addr for a name
	Name string     // as it is looked up, in ASCII; the literal for an address
}

// Lookups of hosts on the Internet go by IDNA 2008 (RFC 5891) with the mapping of Unicode TS #46, as browsers do it:
// case and width do not matter, and the name is in its normal form.
var profile = idna.New(
	idna.MapForLookup(),
	idna.BidiRule(),
	idna.Transitional(false),
	idna.StrictDomainName(false), // underscores stand in names of services
)

// Parse reads text. It does no I/O. A name has at most 253 bytes in labels of at most 63 (RFC 1035 section 2.3.4), which
// are made of letters, digits, hyphens and underscores; one dot may stand at the end. The error is a phrase about the
// text that does not repeat it.
func Parse(text string) (Host, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return Host{Addr: addr, Name: text}, nil
	}
	if text == "" {
		return Host{}, errors.New("is empty: an address or a name")
	}
	if strings.ContainsAny(text, ":%[]/") {
		return Host{}, errors.New("is neither an address nor a name")
	}
	if looksNumeric(text) {
		// Some resolvers read 127.1 or 0x7f.1 as addresses, others do not.
		return Host{}, errors.New("is not an IPv4 address: that is four decimal numbers")
	}
	name, err := profile.ToASCII(text)
	if err == nil {
		// What the mapping lets through may still decode to something that it would not have made.
		name, err = profile.ToASCII(name)
	}
	if err != nil {
		return Host{}, fmt.Errorf("is not a name of a host: %w", err)
	}
	if err := check(name); err != nil {
		return Host{}, err
	}
	return Host{Name: name}, nil
}

// looksNumeric reports whether the last label is a number, which no top-level domain is (RFC 3696 section 2).
func looksNumeric(text string) bool {
	text = strings.TrimSuffix(text, ".")
	last := strings.ToLower(text[strings.LastIndexByte(text, '.')+1:])
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

func check(name string) error {
	name = strings.TrimSuffix(name, ".")
	if name == "" {
		return errors.New("is the root of the names, which is no host")
	}
	if len(name) > 253 {
		return fmt.Errorf("is %d bytes long, a name has at most 253", len(name))
	}
	for label := range strings.SplitSeq(name, ".") {
		switch {
		case label == "":
			return errors.New("has an empty part between two dots")
		case len(label) > 63:
			return fmt.Errorf("has a part of %d bytes, a part has at most 63", len(label))
		}
		for _, c := range []byte(label) {
			if !hostByte(c) {
				return fmt.Errorf("has %q, which stands in no name of a host", rune(c))
			}
		}
	}
	return nil
}

func hostByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}
