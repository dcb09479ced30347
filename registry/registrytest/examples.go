package registrytest

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// checkExamples checks that each example is right in its roles, and that there is one for each role of the plugin.
func (s *suite) checkExamples(t *testing.T) {
	for _, e := range s.examples {
		s.checkExample(t, e)
	}
	for _, role := range s.plugin.Roles() {
		if len(s.of(role)) == 0 {
			ruleREADME.fail(t, "no example shows %s as a %s", s.plugin.Name, role.Noun())
		}
	}
}

func (s *suite) checkExample(t *testing.T, e example) {
	t.Helper()
	if e.bad != nil {
		ruleREADME.fail(t, "%s: %q: %v", e.where, e.text, e.bad)
		return
	}
	for _, role := range e.roles {
		_, layer, err := s.registry.Build(e.text, role)
		if err != nil && !forOtherSystem(layer) {
			ruleREADME.fail(t, "%s: %q is not right as a %s: %v", e.where, e.text, role.Noun(), err)
		}
	}
	if !e.refused {
		return
	}
	switch roles, err := s.registry.Roles(e.text); {
	case err == nil:
		ruleREADME.fail(t, "%s: %q is not refused, it is right as %v", e.where, e.text, roles)
	case !strings.Contains(err.Error(), e.message):
		ruleREADME.fail(t, "%s: %q is refused by other words: %v", e.where, e.text, err)
	}
}

// forOtherSystem reports whether a layer has a parameter that does not work on this system.
func forOtherSystem(layer *registry.Layer) bool {
	other := false
	if layer != nil {
		layer.Walk(func(l *registry.Layer, _ int) {
			for _, a := range l.Args {
				other = other || a.Given && a.Param.OS != nil && !slices.Contains(a.Param.OS, runtime.GOOS)
			}
		})
	}
	return other
}

// A specimen is an example that builds here, outermost of which is the plugin.
type specimen struct {
	text     string
	role     registry.Role
	endpoint any
	layer    *registry.Layer
}

// of returns the specimens of a role.
func (s *suite) of(role registry.Role) []specimen {
	var list []specimen
	for _, e := range s.examples {
		if slices.Contains(e.roles, role) {
			list = append(list, s.build(e.text, role)...)
		}
	}
	for _, text := range s.live {
		list = append(list, s.build(text, role)...)
	}
	return list
}

// all returns the specimens of all roles.
func (s *suite) all() []specimen {
	var list []specimen
	for _, role := range s.plugin.Roles() {
		list = append(list, s.of(role)...)
	}
	return list
}

// build returns the one specimen that text is, none where it does not build.
func (s *suite) build(text string, role registry.Role) []specimen {
	endpoint, layer, err := s.registry.Build(text, role)
	if err != nil || layer.Plugin.Name != s.plugin.Name {
		return nil
	}
	return []specimen{{text, role, endpoint, layer}}
}

// listenable returns the specimens of a role of servers that may be listened on. It skips the test where the machine
// lacks IPv6, and fails it where there are none.
func (s *suite) listenable(t *testing.T, role registry.Role) []specimen {
	t.Helper()
	var list []specimen
	lacking := false
	for _, sp := range s.of(role) {
		safe, v6 := onLoopback(sp.layer)
		switch {
		case safe && v6 && !hasIPv6():
			lacking = true
		case safe || slices.Contains(s.live, sp.text):
			list = append(list, sp)
		}
	}
	switch {
	case len(list) > 0:
	case lacking && os.Getenv("ENDPOINT_TEST_REQUIRE") != "all":
		t.Skip("missing: IPv6 on the loopback interface")
	default:
		ruleREADME.fail(t, "no example of a %s can be listened on, with port 0 on a loopback address; if there can't be one, use Live", role.Noun())
	}
	return list
}

func hasIPv6() bool {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	return ln.Close() == nil
}

// onLoopback reports whether all ports in a description of a server are 0, and all its addresses loopback ones, of which
// there is at least one.
func onLoopback(layer *registry.Layer) (safe, v6 bool) {
	safe, bound, ports := true, false, 0
	layer.Walk(func(l *registry.Layer, _ int) {
		for _, a := range l.Args {
			switch v := a.Value.(type) {
			case uint16:
				if a.Param.Kind == registry.KindPort {
					ports++
					safe = safe && v == 0
				}
			case string:
				if addr, err := netip.ParseAddr(v); err == nil {
					safe, bound, v6 = safe && addr.IsLoopback(), true, v6 || addr.Is6()
				}
			case netip.Addr:
				safe, bound, v6 = safe && v.IsLoopback(), true, v6 || v.Is6()
			}
		}
	})
	return safe && bound && ports > 0, v6
}

// client returns the client that belongs to a server that is bound to addr, and its description; nil where it can't be
// derived.
func (s *suite) client(t *testing.T, server specimen, addr net.Addr, role registry.Role) (any, string) {
	t.Helper()
	text := s.clientText(server, addr, role)
	if text == "" {
		ruleSockets.fail(t, "no %s of %s can be derived from %q: use ClientFor", role.Noun(), s.plugin.Name, server.text)
		return nil, ""
	}
	client, _, err := s.registry.Build(text, role)
	if err != nil {
		ruleSockets.fail(t, "the %s %q that belongs to %q is not right: %v", role.Noun(), text, server.text, err)
		return nil, ""
	}
	return client, text
}

// clientText is the description of the client that belongs to a server, "" where there is no telling.
func (s *suite) clientText(server specimen, addr net.Addr, role registry.Role) string {
	if s.clientFor != nil {
		return s.withFiles(s.clientFor(server.text, addr))
	}
	return s.derive(server.layer, addr, role)
}

// derive returns the description of the client that belongs to a server: with the address as host and port, with the
// parameters of the server that it has too, and with what is inside of it derived likewise. It is "" where there is no
// telling.
func (s *suite) derive(server *registry.Layer, addr net.Addr, role registry.Role) string {
	at, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return ""
	}
	d, ok := derived(server, netip.AddrPortFrom(reachable(at.Addr()), at.Port()), role)
	if !ok {
		return ""
	}
	return d.String()
}

func derived(server *registry.Layer, at netip.AddrPort, role registry.Role) (*grammar.Description, bool) {
	d := &grammar.Description{Fields: []grammar.Field{{Value: server.Plugin.Name}}}
	give := func(f grammar.Field) { d.Fields = append(d.Fields, f) }
	host, port, inside := false, false, false
	for _, p := range server.Plugin.Params(role) {
		arg := argOf(server, p.Name)
		switch {
		case p.Name == "host":
			host = true
			give(grammar.Field{Key: p.Name, Keyed: true, Value: at.Addr().String()})
		case p.Name == "port" && p.Kind == registry.KindPort:
			port = true
			give(grammar.Field{Key: p.Name, Keyed: true, Value: strconv.Itoa(int(at.Port()))})
		case p.Kind.Role() != "" && len(arg.Inner) == 1:
			nested, ok := derived(arg.Inner[0], at, p.Kind.Role())
			inside = ok
			give(grammar.Field{Key: p.Name, Keyed: true, Nested: nested})
		case arg.Given && p.Kind == arg.Param.Kind && p.Kind.Role() == "" && !p.Map && !p.Secret():
			give(grammar.Field{Key: p.Name, Keyed: true, Value: arg.Text})
		case p.Required:
			return nil, false
		}
	}
	return d, host && port || inside
}

func argOf(layer *registry.Layer, name string) registry.LayerArg {
	i := slices.IndexFunc(layer.Args, func(a registry.LayerArg) bool { return a.Param.Name == name })
	if i < 0 {
		return registry.LayerArg{}
	}
	return layer.Args[i]
}

// reachable is the address to dial for a server that is bound to a.
func reachable(a netip.Addr) netip.Addr {
	switch {
	case !a.IsUnspecified():
		return a
	case a.Is4():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}
