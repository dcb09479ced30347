package multicast

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/epctl/endpoint/internal/mcast"
	"github.com/epctl/endpoint/internal/sockaddr"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/registry"
)

// groupProblem returns what makes g unusable as a group, as a message without the address, or "".
func groupProblem(g netip.Addr) string {
	switch {
	case !g.IsValid():
		return "is no address"
	case g.Is4In6():
		return "is an IPv4 address in IPv6 form"
	case !g.IsMulticast():
		return "is no group (those are 224.0.0.0/4 and ff00::/8); to send to a host, use udp:"
	case g.Zone() != "":
		return "has a zone: on which interface a group is meant is a parameter of its own"
	case mcast.ReservedScope(g):
		return "has the reserved scope 0 (RFC 4291 section 2.7)"
	}
	return ""
}

// sourceProblem returns what makes source unusable as the only sender that is heard of group, as a message without the
// address, or "".
func sourceProblem(source, group netip.Addr) string {
	switch {
	case !source.IsValid():
		return "is no address"
	case source.Is4In6():
		return "is an IPv4 address in IPv6 form"
	case source.Is4() != group.Is4():
		return fmt.Sprintf("is of another family than the group %s", group)
	case source.IsMulticast() || source.IsUnspecified() || source == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "is not the address of one sender"
	case source.Zone() != "":
		return "has a zone: on which interface a sender is heard is a parameter of its own"
	}
	return ""
}

// groups checks the parameter group by itself.
func (f *faults) groups(list []netip.Addr) {
	if len(list) == 0 {
		f.add(registry.Bad("group", "is empty: give the address of a group"))
	}
	for _, g := range list {
		switch problem := groupProblem(g); {
		case problem != "" && g.IsValid() && !g.IsMulticast() && !g.Is4In6():
			f.add(registry.Bad("group", "%s %s", g, problem).UsePlugin("udp"))
		case problem != "":
			f.add(fixed(registry.Bad("group", "%s %s", g, problem), g.Unmap().WithZone(""), len(list)))
		case g.Is4() != list[0].Is4():
			f.add(registry.Bad("group", "%s and %s are of different families; one socket serves one", list[0], g).
				WithFix(commas(list, func(a netip.Addr) bool { return a.Is4() == list[0].Is4() })))
			return
		}
	}
	f.twice("group", list)
}

// fixed proposes an address in place of a parameter's only one.
func fixed(f *registry.Fault, fix netip.Addr, count int) *registry.Fault {
	if count != 1 || groupProblem(fix) != "" {
		return f
	}
	return f.WithFix(fix.String())
}

// commas writes those of a list that are wanted as a list, each once.
func commas[T interface {
	comparable
	fmt.Stringer
}](list []T, wanted func(T) bool) string {
	var text []string
	for n, element := range list {
		if wanted(element) && !slices.Contains(list[:n], element) {
			text = append(text, element.String())
		}
	}
	return strings.Join(text, ",")
}

// twice refuses a list of addresses that has one twice.
func (f *faults) twice(param string, list []netip.Addr) {
	for n, a := range list {
		if slices.Contains(list[:n], a) {
			f.add(registry.Bad(param, "%s is there twice", a).
				WithFix(commas(list, func(netip.Addr) bool { return true })))
			return
		}
	}
}

// sources checks the parameter source, which is for source-specific groups: of any other group the senders are no part
// of the name, and routers do not look at them (RFC 4607 section 1).
func (f *faults) sources(list, groups []netip.Addr) {
	if list != nil && len(list) == 0 {
		f.add(registry.Bad("source", "is empty: give the address of a sender"))
	}
	if len(list) == 0 || len(groups) == 0 {
		return
	}
	for _, source := range list {
		if problem := sourceProblem(source, groups[0]); problem != "" {
			f.add(registry.Bad("source", "%s %s", source, problem).With("group"))
		}
	}
	f.twice("source", list)
	for _, g := range groups {
		if groupProblem(g) == "" && !mcast.SourceSpecific(g) {
			f.add(registry.Bad("source", "%s is a group of any sender: leave source out, or take a source-specific group, "+
				"in 232.0.0.0/8 or ff3x::/32 (RFC 4607)", g).With("group"))
			return
		}
	}
}

// lackOfSource: to ask for all senders of a source-specific group is an error (RFC 4604 section 2.1).
func (f *faults) lackOfSource(list, groups []netip.Addr) {
	for _, g := range groups {
		if list == nil && groupProblem(g) == "" && mcast.SourceSpecific(g) {
			f.add(registry.Bad("group", "%s is a source-specific group: say by source= whom to hear (RFC 4607)", g))
		}
	}
}

// interfaces checks the parameters interface and outInterface against the groups, which are right by themselves.
func (f *faults) interfaces(list []mcast.Selector, out mcast.Selector, groups []netip.Addr) {
	group := groups[0]
	if n := slices.IndexFunc(groups, mcast.InterfaceLocal); n >= 0 {
		group = groups[n]
	}
	if list != nil && len(list) == 0 {
		f.add(registry.Bad("interface", "is empty: give the name, the index or an address of an interface, or * for all"))
	}
	for n, s := range list {
		switch fault := interfaceFault("interface", s, group); {
		case fault != nil && len(list) > 1:
			fault.Fix = ""
			f.add(fault)
		case fault != nil:
			f.add(fault)
		case s.IsAll() && len(list) > 1:
			f.add(registry.Bad("interface", "* is all interfaces, so there can be no other").WithFix("*"))
		case slices.Contains(list[:n], s):
			f.add(registry.Bad("interface", "%s is there twice", s).
				WithFix(commas(list, func(mcast.Selector) bool { return true })))
		}
	}
	switch fault := interfaceFault("outInterface", out, group); {
	case out.IsZero():
	case out.IsAll():
		f.add(registry.Bad("outInterface", "a datagram leaves by one interface: give its name, its index or its address"))
	case fault != nil:
		f.add(fault)
	}
}

// interfaceFault returns what is wrong with s as an interface for group that shows without asking the system.
func interfaceFault(param string, s mcast.Selector, group netip.Addr) *registry.Fault {
	addr := s.Addr()
	local := mcast.InterfaceLocal(group)
	switch {
	case s.IsAll() && local:
		return registry.Bad(param, "%s is interface-local and heard on the loopback interface only", group).
			With("group").WithFix("lo")
	case !addr.IsValid():
		return nil
	case addr.IsUnspecified():
		return registry.Bad(param, "%s is the address of no interface; all are written *", addr).WithFix("*")
	case addr.IsMulticast():
		return registry.Bad(param, "%s is a group, not the address of an interface", addr)
	}
	if problem := sockaddr.Problem("udp", addr); problem != "" {
		fault := registry.Bad(param, "%s %s", addr, problem)
		if plain := addr.Unmap().WithZone(""); sockaddr.Problem("udp", plain) == "" && plain.Is4() == group.Is4() {
			fault.Fix = plain.String()
		}
		return fault
	}
	switch {
	case addr.Is4() != group.Is4():
		return registry.Bad(param, "%s is of another family than the group %s; give an address of the same family, "+
			"or the interface's name or index", addr, group).With("group")
	case local && !addr.IsLoopback():
		return registry.Bad(param, "%s is interface-local and never leaves this host, so %s can't be its interface", group, addr).
			With("group").WithFix("lo")
	}
	return nil
}

// options checks the socket options.
func (f *faults) options(o sockopt.Packet, group netip.Addr) {
	network := "udp6"
	if group.Is4() {
		network = "udp4"
	}
	for _, p := range o.Problems(network) {
		*f = append(*f, p)
	}
}
