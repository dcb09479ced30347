// Package registry finds the plugin for an endpoint's name, decodes the parameters that the plugin declares, and builds
// an endpoint from them without any I/O.
//
// It is the package that plugin authors see. A plugin is a value:
//
//	var Plugin = registry.Plugin{
//		Name:   "echo",
//		Doc:    "Gives back what it is sent.",
//		Client: registry.For(newClient),
//	}
//
//	type options struct {
//		Delay time.Duration `ep:"delay" default:"0" doc:"time before an answer"`
//	}
//
//	func newClient(o options) (registry.Client, error)
//
// The fields of the options struct are the parameters; their tags are told at [For]. An option whose type is one of the
// role interfaces is an inner endpoint, so a wrapper is a plugin like any other.
package registry

// A Plugin is one kind of endpoint. A nil factory says that the plugin does not play that role.
type Plugin struct {
	Name string // what strings call it: lower-case letters, digits and '-', not starting with a digit
	Doc  string // one sentence, with a full stop

	Client       Factory[Client]
	Server       Factory[Server]
	PacketClient Factory[PacketClient]
	PacketServer Factory[PacketServer]
	Resolver     Factory[Resolver]
}

// A Factory builds endpoints of one role. [For] makes one from a function.
type Factory[E any] interface {
	// Params returns the parameters in their declared order, which is the order of values without a key.
	Params() []Param
	// Build makes the endpoint, without any I/O: it opens nothing, resolves nothing, reads no environment. What is
	// wrong with the arguments it returns as one or several joined errors made by [Bad].
	Build(Args) (E, error)
}

// Roles returns the roles that p plays.
func (p Plugin) Roles() []Role {
	var roles []Role
	for _, role := range Roles() {
		if p.factory(role) != nil {
			roles = append(roles, role)
		}
	}
	return roles
}

// Params returns the parameters of p in the given role, nil where p does not play it.
func (p Plugin) Params(role Role) []Param {
	if f := p.factory(role); f != nil {
		return f.Params()
	}
	return nil
}

// Build makes an endpoint of the given role, of the role's interface type. It is how a program hosts plugins for others;
// applications use a [Registry].
func (p Plugin) Build(role Role, args Args) (any, error) {
	f := p.factory(role)
	if f == nil {
		return nil, errorf("%s is no %s", p.Name, role.Noun())
	}
	return f.build(args)
}

// factory is a Factory of some role.
type factory interface {
	Params() []Param
	build(Args) (any, error)
	warnings(Args) []*Fault
}

type erased[E any] struct{ Factory[E] }

func (e erased[E]) build(a Args) (any, error) { return e.Build(a) }

func erase[E any](f Factory[E]) factory {
	if f == nil {
		return nil
	}
	return erased[E]{f}
}

func (p Plugin) factory(role Role) factory {
	switch role {
	case RoleClient:
		return erase(p.Client)
	case RoleServer:
		return erase(p.Server)
	case RolePacketClient:
		return erase(p.PacketClient)
	case RolePacketServer:
		return erase(p.PacketServer)
	case RoleResolver:
		return erase(p.Resolver)
	}
	return nil
}
