package external

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/registry"
)

// makePlugins makes the plugins of a description that was checked.
func (p *Program) makePlugins() []registry.Plugin {
	var plugins []registry.Plugin
	for _, info := range p.description.Plugins {
		plugin := registry.Plugin{Name: info.Name, Doc: info.Doc}
		for _, r := range info.Roles {
			k := kind{program: p, plugin: info.Name, role: registry.Role(r.Role), params: r.Declared()}
			switch k.role {
			case registry.RoleClient:
				plugin.Client = factory[registry.Client]{k}
			case registry.RoleServer:
				plugin.Server = factory[registry.Server]{k}
			case registry.RolePacketClient:
				plugin.PacketClient = factory[registry.PacketClient]{k}
			case registry.RolePacketServer:
				plugin.PacketServer = factory[registry.PacketServer]{k}
			case registry.RoleResolver:
				plugin.Resolver = factory[registry.Resolver]{k}
			}
		}
		plugins = append(plugins, plugin)
	}
	return plugins
}

// A kind is a plugin of a program in one role.
type kind struct {
	program *Program
	plugin  string
	role    registry.Role
	params  []registry.Param
}

// A factory builds endpoints in another process.
type factory[E any] struct{ kind }

// Params returns the parameters.
func (f factory[E]) Params() []registry.Param { return f.params }

// Build has the plugin build the endpoint, so that what is wrong with the arguments is told with its place. It starts
// the program where it does not run.
func (f factory[E]) Build(args registry.Args) (E, error) {
	var none E
	e := newEndpoint(f.kind, args)
	if !f.program.options.noStart {
		if err := e.check(context.Background()); err != nil {
			return none, err
		}
	}
	return e.inRole().(E), nil
}

// problems are what a plugin finds wrong, as an error that the registry finds places for.
func problems(reply *wire.BuildReply) error {
	const most = 16
	var all []error
	for _, f := range reply.Faults[:min(len(reply.Faults), most)] {
		all = append(all, faultOf(f))
	}
	for _, e := range reply.Errors[:min(len(reply.Errors), most)] {
		all = append(all, whole(e.Err()))
	}
	return errors.Join(all...)
}

// whole keeps the registry from taking an error apart that is one thing to tell, though it wraps several.
func whole(err error) error { return fmt.Errorf("%w", err) }

func faultOf(told *wire.Fault) *registry.Fault {
	const most = 16
	fault := registry.Bad(clean(told.Param), "%s", clean(told.Message))
	if told.Fix == clean(told.Fix) {
		fault = fault.WithFix(told.Fix)
	}
	if len(told.Also) > 0 {
		fault = fault.With(told.Also[:min(len(told.Also), most)]...)
	}
	if told.Use != "" && told.Use == clean(told.Use) {
		fault = fault.UsePlugin(told.Use)
	}
	return fault
}

func clean(text string) string {
	const most = 1024
	return wire.Clean(text, most)
}

// references reports whether a value is, or holds, a secret that has to be read where it is used.
func references(value any) bool {
	switch v := value.(type) {
	case registry.Secret:
		return !v.IsZero() && !v.Inline()
	case []any:
		return slices.ContainsFunc(v, references)
	case map[string]any:
		for _, element := range v {
			if references(element) {
				return true
			}
		}
	}
	return false
}

func hasReferences(args registry.Args) bool {
	return slices.ContainsFunc(args.All(), func(a registry.Arg) bool { return references(a.Value) })
}

// placeholder stands for a secret that is not read when an endpoint is only checked.
const placeholder = "env:KEPT_BY_THE_APPLICATION"

// sealed is what is sent of a secret to check an endpoint: only what stands in the string anyway.
func sealed(ctx context.Context) func(registry.Secret) (string, error) {
	return func(s registry.Secret) (string, error) {
		if !s.IsZero() && !s.Inline() {
			return placeholder, nil
		}
		return revealed(ctx)(s)
	}
}

// revealed is what is sent of a secret to use an endpoint: the plugin can't read what this process can.
func revealed(ctx context.Context) func(registry.Secret) (string, error) {
	return func(s registry.Secret) (string, error) {
		if s.IsZero() {
			return "", nil
		}
		text, err := s.Reveal(ctx)
		if err != nil {
			return "", fmt.Errorf("a secret can't be read: %w", err)
		}
		return "text:" + text, nil
	}
}
