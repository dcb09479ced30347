// Package lookup has what all resolvers share: names in one form, the choice of a family, and errors as those of package
// net. Names come in ASCII; addresses in the place of names are not looked up.
package lookup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Families are the families that a network stands for.
type Families struct{ IPv6, IPv4 bool }

// FamiliesOf reads network as a look-up has it: "ip", "ip6" or "ip4". The error is a [net.UnknownNetworkError].
func FamiliesOf(network string) (Families, error) {
	switch network {
	case "ip":
		return Families{true, true}, nil
	case "ip6":
		return Families{IPv6: true}, nil
	case "ip4":
		return Families{IPv4: true}, nil
	}
	return Families{}, net.UnknownNetworkError(network)
}

// Select returns those of addrs that have one of the families. An IPv4 address in its IPv6 form is IPv4, and comes in
// that form. The result is never a part of addrs, which the caller may keep.
func (f Families) Select(addrs []netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, a := range addrs {
		a = a.Unmap()
		if (a.Is4() && f.IPv4 || a.Is6() && f.IPv6) && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// Canonical returns host as names are compared: in lower case, without a dot at the end (RFC 4343). It is false for
// what is no name of a host: an address, a label that is empty or longer than 63 bytes, more than 253 bytes, other
// characters than letters, digits, '-' and '_'.
func Canonical(host string) (string, bool) {
	name := lower(strings.TrimSuffix(host, "."))
	if name == "" || len(name) > 253 {
		return "", false
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInName) {
			return "", false
		}
		last = label
	}
	// No top-level domain is a number; what ends in one is an IPv4 address, or an attempt at it.
	return name, strings.Trim(last, "0123456789") != ""
}

// lower is s in lower case where its letters are those of ASCII; a name has no other ones.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// NoSuchHost is the error for a name that the resolver does not know.
func NoSuchHost(host string) *net.DNSError {
	return &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// NoAddress is the error for a name that the resolver knows, which has no address of the families.
func NoAddress(host string, f Families) *net.DNSError {
	e := &net.DNSError{Err: "the name has no IP address", Name: host, IsNotFound: true}
	switch {
	case !f.IPv4:
		e.Err = "the name has no IPv6 address"
	case !f.IPv6:
		e.Err = "the name has no IPv4 address"
	}
	return e
}

// IsNotFound reports whether err says that there is no such name, or no such address of it, as opposed to a look-up that
// failed.
func IsNotFound(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsNotFound
	}
	var addr *net.AddrError // package net's, for a name that the hosts file has in the other family only
	return errors.As(err, &addr)
}

// Ended is the error of a look-up whose context has ended, nil where it has not. errors.Is finds the context's error.
func Ended(ctx context.Context, host string) error {
	if ctx.Err() == nil {
		return nil
	}
	return Failed(host, context.Cause(ctx), ctx.Err())
}

// Failed is the error of a look-up that came to no answer, because of err. Further errors are in its chain only.
func Failed(host string, err error, also ...error) *net.DNSError {
	causes := append([]error{err}, also...)
	e := &net.DNSError{Err: fmt.Sprint(err), Name: host, UnwrapErr: errors.Join(causes...)}
	for _, cause := range causes {
		var timeout interface{ Timeout() bool }
		e.IsTimeout = e.IsTimeout || errors.As(cause, &timeout) && timeout.Timeout()
	}
	e.IsTemporary = e.IsTimeout
	return e
}
