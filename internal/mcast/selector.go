package mcast

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/epctl/endpoint/internal/netif"
)

// A Selector says which interfaces are meant: one by its name, its index or an address that it has, or all. The zero
// Selector means none.
type Selector struct {
	text string
	addr netip.Addr // of a selector by address
}

// All is the Selector of every interface that is up and takes part in multicast.
func All() Selector { return Selector{text: "*"} }

// UnmarshalText reads a selector: "*", an IP address, a name, or an index in decimal. It does no I/O.
func (s *Selector) UnmarshalText(text []byte) error {
	t := string(text)
	if t == "" {
		return errors.New("is empty: give the name, the index or an address of an interface, or * for all")
	}
	if addr, err := netip.ParseAddr(t); err == nil {
		*s = Selector{text: addr.String(), addr: addr}
		return nil
	}
	if !plausible(t) {
		return fmt.Errorf("%s is neither a name, an index nor an address of an interface", strconv.QuoteToGraphic(t))
	}
	*s = Selector{text: t}
	return nil
}

// maxName is the length of the longest name that Linux keeps for an interface (ALTIFNAMSIZ).
const maxName = 127

// plausible refuses what Linux lets no interface be called, above all mistyped addresses.
func plausible(name string) bool {
	return len(name) <= maxName && !strings.ContainsAny(name, "/:[], \t\r\n\x00") && name != "." && name != ".."
}

// String returns the selector as it is written; an address in canonical form.
func (s Selector) String() string { return s.text }

// IsZero reports whether s means no interface.
func (s Selector) IsZero() bool { return s == Selector{} }

// IsAll reports whether s means every interface that is up and takes part in multicast.
func (s Selector) IsAll() bool { return s.text == "*" }

// Addr returns the address by which s means an interface, the zero Addr where it does so by other means.
func (s Selector) Addr() netip.Addr { return s.addr }

// visit calls f for each interface of the snapshot that s means.
func (s Selector) visit(snapshot netif.Snapshot, f func(netif.Interface)) {
	switch {
	case s.IsZero():
	case s.IsAll():
		for _, i := range snapshot.Interfaces {
			if i.Multicast() {
				f(i)
			}
		}
	case s.addr.IsValid():
		s.visitAddr(snapshot, f)
	default:
		if i, err := snapshot.Find(s.text); err == nil {
			f(i)
		}
	}
}

// visitAddr takes each interface that has the address: an IPv4 address may be on several.
func (s Selector) visitAddr(snapshot netif.Snapshot, f func(netif.Interface)) {
	for _, i := range snapshot.Interfaces {
		if zone := s.addr.Zone(); zone != "" && zone != i.Name && zone != strconv.Itoa(i.Index) {
			continue
		}
		for _, a := range i.Addrs {
			if a.Prefix.Addr() == s.addr.WithZone("") {
				f(i)
				break
			}
		}
	}
}

// exists returns the error of a selector that means no interface, which all may do.
func (s Selector) exists(snapshot netif.Snapshot) error {
	found := s.IsAll()
	s.visit(snapshot, func(netif.Interface) { found = true })
	if found {
		return nil
	}
	_, err := snapshot.Find(s.text)
	return err
}
