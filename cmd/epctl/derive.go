package main

import (
	"errors"
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

	made    *throwaway             // certificate of the server, nil where it has its own
	scratch func() (string, error) // makes a directory for files, once
	trusted string                 // how the client that was derived verifies its server
}

func newDeriver(r *registry.Registry, server string, addr net.Addr) *deriver {
	d, _ := grammar.Parse(server)
	return &deriver{registry: r, addr: addr, values: valuesOf(d), scratch: func() (string, error) { return "", errNoScratch }}
}

var errNoScratch = errors.New("there is no directory for temporary files")

// clientOf returns the client role that fits a server role.
func clientOf(role registry.Role) registry.Role {
	if role == registry.RolePacketServer {
		return registry.RolePacketClient
	}
	return registry.RoleClient
}

// client returns the string of a client for the server that layer is. It is the server's own plugin as a client, with
// the address that the server listens on and what was given of the parameters that both have; where the plugin has no
// such client and wraps nothing, it is another endpoint that needs nothing but an address.
func (d *deriver) client(layer *registry.Layer) (string, error) {
	out, err := d.derive(layer)
	if err != nil {
		return "", err
	}
	return out.Text(grammar.Brackets), nil
}

func (d *deriver) derive(layer *registry.Layer) (*grammar.Description, error) {
	role := clientOf(layer.Role)
	reason := fmt.Errorf("no %s connects to a server of %s on %s", role.Noun(), layer.Plugin.Name, address(d.addr))
	for _, p := range d.plugins(layer, role) {
		out, err := d.description(layer, p, role)
		if err == nil {
			if _, _, err = d.registry.Build(out.String(), role); err == nil {
				return out, nil
			}
		}
		if p.Name == layer.Plugin.Name {
			reason = fmt.Errorf("the %s that matches %s could not be made out: %w", role.Noun(), p.Name, err)
		}
	}
	return nil, reason
}

// plugins returns those that may be the client: the server's own first, then those that need an address only, of which
// those that are servers as well mean the network as it is.
func (d *deriver) plugins(layer *registry.Layer, role registry.Role) []registry.Plugin {
	all := []registry.Plugin{layer.Plugin}
	if !slices.ContainsFunc(layer.Args, func(a registry.LayerArg) bool { return len(a.Inner) > 0 }) {
		all = append(all, d.plain(layer.Role, role)...)
	}
	return slices.DeleteFunc(all, func(p registry.Plugin) bool { return !slices.Contains(p.Roles(), role) })
}

// plain are the plugins that need an address only; first those that are servers as well.
func (d *deriver) plain(server, client registry.Role) []registry.Plugin {
	var both, others []registry.Plugin
	for _, p := range d.registry.Plugins() {
		switch {
		case !needsAnAddress(p.Params(client)):
		case slices.Contains(p.Roles(), server):
			both = append(both, p)
		default:
			others = append(others, p)
		}
	}
	return append(both, others...)
}

// needsAnAddress says that an address is all that has to be given to connect. To what is encrypted an address says too
// little.
func needsAnAddress(params []registry.Param) bool {
	if slices.ContainsFunc(params, func(p registry.Param) bool { return isTrustRoots(p.Name) }) {
		return false
	}
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
func (d *deriver) description(layer *registry.Layer, p registry.Plugin, role registry.Role) (*grammar.Description, error) {
	out := &grammar.Description{Fields: []grammar.Field{{Value: p.Name}}}
	for _, param := range p.Params(role) {
		field, ok, err := d.field(layer, param)
		if err != nil {
			return nil, err
		}
		if ok {
			out.Fields = append(out.Fields, field)
		}
	}
	return out, d.verifying(out, layer, p, role)
}

func (d *deriver) field(layer *registry.Layer, p registry.Param) (field grammar.Field, ok bool, err error) {
	field = grammar.Field{Key: p.Name, Keyed: true}
	if field.Value, ok = d.address(p); ok {
		return field, true, nil
	}
	i := slices.IndexFunc(layer.Args, func(a registry.LayerArg) bool { return a.Param.Name == p.Name })
	if i < 0 || !layer.Args[i].Given {
		return field, false, nil
	}
	arg := layer.Args[i]
	if len(arg.Inner) == 1 && p.Kind == registry.Kind(clientOf(arg.Inner[0].Role)) {
		field.Nested, err = d.derive(arg.Inner[0])
		return field, true, err
	}
	if p.Kind != arg.Param.Kind || p.Map || len(arg.Fields) != 1 {
		return field, false, nil
	}
	field.Value, ok = d.values[arg.Fields[0].ValueSpan]
	return field, ok, nil
}

// address returns the value of a parameter that says where to connect to.
func (d *deriver) address(p registry.Param) (string, bool) {
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
