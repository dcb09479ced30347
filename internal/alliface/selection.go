package alliface

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/epctl/endpoint/internal/netif"
)

// The families of a [Selection].
const (
	Any  = "any"
	IPv4 = "4"
	IPv6 = "6"
)

// A Selection says which of the machine's addresses to listen on.
type Selection struct {
	Family    string    // Any, IPv4 or IPv6
	Include   []Pattern // where there are any, only what one of them matches
	Exclude   []Pattern // never what one of them matches
	Loopback  bool      // 127.0.0.0/8 and ::1 too
	Tentative bool      // also before duplicate address detection is over, which needs the socket option freeBind
}

// A Decision is what becomes of an address.
type Decision uint8

// The decisions.
const (
	Skip   Decision = iota // it is not meant
	Refuse                 // it is meant, but can't be used until somebody does something: dadfailed
	Wait                   // it is meant, and will be usable by itself: tentative
	Listen                 // there has to be a socket
)

// A Verdict is a decision and, but for Listen, the reason for people.
type Verdict struct {
	Decision Decision
	Reason   string
}

// Judge says what becomes of an address of an interface.
func (s Selection) Judge(i netif.Interface, a netif.Address) Verdict {
	if reason := s.skips(i, a.Prefix.Addr()); reason != "" {
		return Verdict{Skip, reason}
	}
	switch {
	case a.Flags&netif.DADFailed != 0:
		return Verdict{Refuse, "another node has the address (duplicate address detection failed)"}
	case !a.Usable() && !s.Tentative:
		return Verdict{Wait, "duplicate address detection is not over"}
	}
	return Verdict{Decision: Listen}
}

func (s Selection) skips(i netif.Interface, addr netip.Addr) string {
	matches := func(p Pattern) bool { return p.Matches(i.Name, addr) }
	switch {
	case !s.wantsFamily(addr):
		return "family=" + s.Family
	case !s.Loopback && addr.IsLoopback():
		return "loopback=no"
	case len(s.Include) > 0 && !slices.ContainsFunc(s.Include, matches):
		return "not in include"
	case !i.Up():
		return "the interface is down"
	}
	if at := slices.IndexFunc(s.Exclude, matches); at >= 0 {
		return "exclude=" + s.Exclude[at].String()
	}
	return ""
}

func (s Selection) wantsFamily(a netip.Addr) bool {
	return s.Family == Any || (s.Family == IPv4) == a.Is4()
}

// Targets returns the addresses to listen on, in the order of interfaces and addresses, each once.
func (s Selection) Targets(now netif.Snapshot) []Target {
	var list []Target
	seen := make(map[id]bool)
	for i, a := range addresses(now) {
		if s.Judge(i, a).Decision != Listen {
			continue
		}
		t := targetOf(i, a)
		if !seen[t.id(0)] {
			seen[t.id(0)] = true
			list = append(list, t)
		}
	}
	return list
}

func targetOf(i netif.Interface, a netif.Address) Target {
	return Target{Addr: i.Zoned(a.Prefix.Addr()), Interface: i.Name, Index: i.Index}
}

// addresses returns an iterator over all addresses with their interfaces.
func addresses(now netif.Snapshot) func(func(netif.Interface, netif.Address) bool) {
	return func(yield func(netif.Interface, netif.Address) bool) {
		for _, i := range now.Interfaces {
			for _, a := range i.Addrs {
				if !yield(i, a) {
					return
				}
			}
		}
	}
}

// unmatched returns the patterns of include that match no interface and no address: perhaps a slip of the pen.
func (s Selection) unmatched(now netif.Snapshot) []Pattern {
	return slices.DeleteFunc(slices.Clone(s.Include), func(p Pattern) bool {
		for _, i := range now.Interfaces {
			if !p.prefix.IsValid() && p.Matches(i.Name, netip.Addr{}) {
				return true
			}
		}
		for i, a := range addresses(now) {
			if p.Matches(i.Name, a.Prefix.Addr()) {
				return true
			}
		}
		return false
	})
}

// lacks says whether the machine has no address of the family of a that could be used.
func lacks(now netif.Snapshot, a netip.Addr) bool {
	for i, have := range addresses(now) {
		if i.Up() && have.Prefix.Addr().Is4() == a.Is4() && have.Flags&netif.DADFailed == 0 {
			return false
		}
	}
	return true
}

// maxReasons is how many addresses an error tells of.
const maxReasons = 8

// reasons tells of each address why there is no socket for it.
func (s Selection) reasons(now netif.Snapshot) string {
	var list []string
	more := 0
	for i, a := range addresses(now) {
		v := s.Judge(i, a)
		switch {
		case v.Decision == Listen:
		case len(list) == maxReasons:
			more++
		default:
			list = append(list, fmt.Sprintf("%s %s: %s", i.Name, a.Prefix.Addr(), v.Reason))
		}
	}
	switch {
	case more > 0:
		list = append(list, fmt.Sprintf("and %d more", more))
	case len(list) == 0:
		return "the machine has no address"
	}
	return strings.Join(list, "; ")
}
