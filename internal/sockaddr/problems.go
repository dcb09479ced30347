package sockaddr

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/epctl/endpoint/internal/flowlabel"
	"github.com/epctl/endpoint/internal/sockopt"
)

// Problem returns what makes a unusable as the unicast address of an endpoint over network ("tcp4", "tcp6", or "tcp"
// for either; "udp4" and so on likewise), as a message without the address, or "". It does no I/O: whether the zone
// exists shows when it is used. The unspecified address is fine here, because a listener may want it.
func Problem(network string, a netip.Addr) string {
	switch {
	case !a.IsValid():
		return "is no address"
	case a.Is4In6():
		return fmt.Sprintf("is an IPv4 address in IPv6 form; write %s and use IPv4", a.Unmap())
	case v6only(network) && a.Is4():
		return "is an IPv4 address; this endpoint is IPv6 only"
	case v4only(network) && !a.Is4():
		return "is an IPv6 address; this endpoint is IPv4 only"
	case a.IsMulticast() || IsBroadcast(a):
		return "is a multicast or broadcast address"
	}
	return zoneProblem(a)
}

func v4only(network string) bool { return strings.HasSuffix(network, "4") }
func v6only(network string) bool { return strings.HasSuffix(network, "6") }

// IsBroadcast tells whether a is 255.255.255.255. The broadcast address of a network looks as any other.
func IsBroadcast(a netip.Addr) bool { return a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) }

// zoneProblem: the kernel wants a zone for link-local addresses and ignores it for all others (RFC 4007 section 11).
func zoneProblem(a netip.Addr) string {
	needsZone := a.Is6() && a.IsLinkLocalUnicast()
	switch {
	case needsZone && a.Zone() == "":
		return fmt.Sprintf("is link-local and needs a zone, the interface: %s%%eth0 or %s%%2", a, a)
	case needsZone && isZero(a.Zone()):
		return "has the zone 0, which is no interface"
	case !needsZone && a.Zone() != "":
		return "is not link-local, so a zone means nothing there"
	}
	return ""
}

func isZero(zone string) bool {
	n, err := strconv.ParseUint(zone, 10, 32)
	return err == nil && n == 0
}

// Problems returns the [Problem] of the parameter param, an address, with the address in the message: one or none.
func Problems(network, param string, a netip.Addr) []sockopt.Problem {
	message := Problem(network, a)
	if message == "" {
		return nil
	}
	return []sockopt.Problem{{Param: param, Message: a.String() + " " + message}}
}

// FamilyProblem is that of the parameter host where bindAddress is of the other family.
func FamilyProblem(host, bindAddress netip.Addr) sockopt.Problem {
	message := fmt.Sprintf("%s and %s are of different families", host, bindAddress)
	return sockopt.Problem{Param: "host", Message: message, With: "bindAddress"}
}

// LabelProblems returns what is wrong with the parameter flowLabel, where network and the local address are what they
// are: one or none. The label 0 is none.
func LabelProblems(network string, local netip.Addr, flowLabel uint32) []sockopt.Problem {
	message := ""
	switch {
	case flowLabel > flowlabel.Max:
		message = fmt.Sprintf("is more than 20 bits (%d)", flowlabel.Max)
	case flowLabel != 0 && (v4only(network) || local.Is4()):
		message = "is for IPv6 only"
	default:
		return nil
	}
	return []sockopt.Problem{{Param: "flowLabel", Message: message}}
}

// DualStackProblems returns what is wrong with the parameter v6only=no for a socket that is bound to a: one or none.
func DualStackProblems(a netip.Addr) []sockopt.Problem {
	if a == netip.IPv6Unspecified() {
		return nil
	}
	return []sockopt.Problem{{Param: "v6only", Message: "only the interface :: can take IPv4 too"}}
}
