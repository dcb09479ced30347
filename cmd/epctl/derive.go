package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// A deriver finds the client that connects to a server which listens on an address.
type deriver struct {
	registry *registry.Registry
	addr     net.Addr
	values   map[grammar.Span]string // of the server's string, by their places
}

func newDeriver(r *registry.Registry, server string, addr net.Addr) deriver {
	d, _ := grammar.Parse(server)
	return deriver{r, addr, valuesOf(d)}
}

// clientOf returns the client role that fits a server role.
func clientOf(role registry.Role) registry.Role {
	if role == registry.RolePacketServer {
		return registry.RolePacketClient
	}
	return registry.RoleClient
}

// client returns the string of a client for the server that layer is. It is the server's own plugin as a client, with
// the address that the server listens on and what was given of the parameters that both have; where the plugin has no
// such client, it is any other endpoint that needs nothing but an address.
func (d deriver) client(layer *registry.Layer) (string, error) {
	role := clientOf(layer.Role)
	own := ""
	var reason error
	for _, p := range d.plugins(layer.Plugin, role) {
		s := d.description(layer, p, role).Text(grammar.Brackets)
		_, _, err := d.registry.Build(s, role)
		if err == nil {
			return s, nil
		}
		if p.Name == layer.Plugin.Name {
			own, reason = s, err
		}
	}
	if own == "" {
		return "", fmt.Errorf("no %s connects to a server of %s on %s", role.Noun(), layer.Plugin.Name, address(d.addr))
	}
	return "", fmt.Errorf("the %s that matches could not be made out: %w", role.Noun(), reason)
}

// plugins returns those that may be the client: the server's own first, then those that need an address only, of which
// those that are servers as well mean the network as it is.
func (d deriver) plugins(own registry.Plugin, role registry.Role) []registry.Plugin {
	var both, others []registry.Plugin
	for _, p := range d.registry.Plugins() {
		switch {
		case p.Name == own.Name || !needsAnAddress(p.Params(role)):
		case len(p.Roles()) > 1:
			both = append(both, p)
		default:
			others = append(others, p)
		}
	}
	all := slices.Concat([]registry.Plugin{own}, both, others)
	return slices.DeleteFunc(all, func(p registry.Plugin) bool { return !slices.Contains(p.Roles(), role) })
}

// needsAnAddress says that an address is all that has to be given.
func needsAnAddress(params []registry.Param) bool {
	required := 0
	for _, p := range params {
		if !p.Required {
			continue
		}
		if required++; p.Name != "host" && p.Kind != registry.KindPort {
			return false
		}
	}
	return required > 0
}

// description makes the client of plugin p for the server that layer is.
func (d deriver) description(layer *registry.Layer, p registry.Plugin, role registry.Role) *grammar.Description {
	out := &grammar.Description{Fields: []grammar.Field{{Value: p.Name}}}
	for _, param := range p.Params(role) {
		if field, ok := d.field(layer, param); ok {
			out.Fields = append(out.Fields, field)
		}
	}
	return out
}

func (d deriver) field(layer *registry.Layer, p registry.Param) (grammar.Field, bool) {
	field := grammar.Field{Key: p.Name, Keyed: true}
	if value, ok := d.address(p); ok {
		field.Value = value
		return field, true
	}
	i := slices.IndexFunc(layer.Args, func(a registry.LayerArg) bool { return a.Param.Name == p.Name })
	if i < 0 || !layer.Args[i].Given {
		return field, false
	}
	arg := layer.Args[i]
	if len(arg.Inner) == 1 && arg.Param.Kind.Role() != "" && p.Kind == registry.Kind(clientOf(arg.Inner[0].Role)) {
		inner := arg.Inner[0]
		field.Nested = d.description(inner, inner.Plugin, clientOf(inner.Role))
		return field, true
	}
	if p.Kind != arg.Param.Kind || p.Map || len(arg.Fields) != 1 {
		return field, false
	}
	value, ok := d.values[arg.Fields[0].ValueSpan]
	field.Value = value
	return field, ok
}

// address returns the value of a parameter that says where to connect to.
func (d deriver) address(p registry.Param) (string, bool) {
	host, port, isIP := hostPort(d.addr)
	switch {
	case !p.Required:
	case isIP && p.Name == "host" && (p.Kind == registry.KindText || p.Kind == registry.KindAddress):
		return host, true
	case isIP && p.Kind == registry.KindPort:
		return port, true
	case !isIP && p.Kind == registry.KindText:
		return d.addr.String(), true // the path of a socket, by whatever name
	}
	return "", false
}

// hostPort splits the address of an IP socket. In place of the unspecified address comes the loopback address of its
// family.
func hostPort(a net.Addr) (host, port string, ok bool) {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	default:
		parsed, err := netip.ParseAddrPort(addressText(a))
		if err != nil {
			return "", "", false
		}
		ap = parsed
	}
	ip := ap.Addr().Unmap()
	switch {
	case ip == netip.IPv4Unspecified():
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case ip == netip.IPv6Unspecified():
		ip = netip.IPv6Loopback()
	}
	return ip.String(), strconv.Itoa(int(ap.Port())), true
}
