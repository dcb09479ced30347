package registry

import (
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/epctl/endpoint/grammar"
)

// A Registry is a set of plugins. It never changes; [Registry.With] makes a larger one. The zero Registry has none.
type Registry struct {
	plugins    map[string]Plugin
	goos       string             // the system to judge by; "" is the one that runs
	vocabulary func() *vocabulary // of all plugins; nil where there are none
}

// New returns a registry of the given plugins. It is an error if two have one name, or if one has no valid name or no
// role.
func New(plugins ...Plugin) (*Registry, error) { return new(Registry).With(plugins...) }

// Must is for registries whose plugins are known to be right: it panics on an error.
func Must(r *Registry, err error) *Registry {
	if err != nil {
		panic(err)
	}
	return r
}

// With returns a registry that also has the given plugins. The error is that of [New].
func (r *Registry) With(plugins ...Plugin) (*Registry, error) {
	all := maps.Clone(r.plugins)
	if all == nil {
		all = make(map[string]Plugin, len(plugins))
	}
	for _, p := range plugins {
		if !validPluginName(p.Name) {
			return nil, errorf("%q is no name for a plugin: it takes lower-case letters, digits and '-', a letter first", p.Name)
		}
		if len(p.Roles()) == 0 {
			return nil, errorf("the plugin %q plays no role", p.Name)
		}
		if other, ok := all[p.Name]; ok {
			return nil, errorf("two plugins are called %q: one is %q, the other %q", p.Name, other.Doc, p.Doc)
		}
		all[p.Name] = p
	}
	more := &Registry{plugins: all, goos: r.goos}
	more.vocabulary = sync.OnceValue(func() *vocabulary { return vocabularyOf(more.Plugins()...) })
	return more, nil
}

func validPluginName(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != ""
}

// Lookup returns the plugin called name, in any case.
func (r *Registry) Lookup(name string) (Plugin, bool) {
	p, ok := r.plugins[lowerASCII(name)]
	return p, ok
}

// Plugins returns all plugins, sorted by name.
func (r *Registry) Plugins() []Plugin {
	plugins := make([]Plugin, 0, len(r.plugins))
	for _, name := range r.names() {
		plugins = append(plugins, r.plugins[name])
	}
	return plugins
}

func (r *Registry) names() []string { return slices.Sorted(maps.Keys(r.plugins)) }

func (r *Registry) system() string {
	if r.goos != "" {
		return r.goos
	}
	return runtime.GOOS
}

// Build parses s and builds the endpoint that it describes, of the given role's interface type, together with the
// layers that it consists of. It does no I/O. The error is a [*grammar.Error] or several (see [grammar.All]); the
// layers come even then, as far as they could be made out.
func (r *Registry) Build(s string, role Role) (any, *Layer, error) {
	d, err := grammar.Parse(s)
	if d == nil {
		return nil, nil, hideAll(err)
	}
	return r.build(d, role, grammar.All(err))
}

// BuildDescription is Build for a description that is parsed already, or made by a program: faults of such a one have
// their places in its canonical form.
func (r *Registry) BuildDescription(d *grammar.Description, role Role) (any, *Layer, error) {
	if d.Input == "" {
		return r.Build(d.String(), role)
	}
	return r.build(d, role, nil)
}

func (r *Registry) build(d *grammar.Description, role Role, syntax []*grammar.Error) (any, *Layer, error) {
	c := r.compiler(d, syntax)
	endpoint, layer := c.compile(d, role, "", 0)
	if err := c.finish(layer); err != nil {
		return nil, layer, err
	}
	return endpoint, layer, nil
}

func (r *Registry) compiler(d *grammar.Description, syntax []*grammar.Error) *compiler {
	return &compiler{registry: r, input: d.Input, syntax: syntax}
}

// Roles returns the roles that s can play, and with none of them the faults of the role that s comes nearest to: the one
// whose parameters are there and no others, whatever is wrong with their values.
func (r *Registry) Roles(s string) ([]Role, error) {
	d, err := grammar.Parse(s)
	if d == nil {
		return nil, hideAll(err)
	}
	var roles []Role
	var nearest error
	misfits := 0
	for _, role := range r.candidateRoles(d) {
		c := r.compiler(d, grammar.All(err))
		_, layer := c.compile(d, role, "", 0)
		fault := c.finish(layer)
		switch {
		case fault == nil:
			roles = append(roles, role)
		case nearest == nil || c.misfits < misfits ||
			c.misfits == misfits && len(grammar.All(fault)) < len(grammar.All(nearest)):
			nearest, misfits = fault, c.misfits
		}
	}
	if len(roles) > 0 {
		return roles, nil
	}
	return nil, nearest
}

// candidateRoles returns the roles that the plugin named in d plays; where there is no such plugin, any one role will
// do to tell so.
func (r *Registry) candidateRoles(d *grammar.Description) []Role {
	if i := nameField(d); i >= 0 {
		if p, ok := r.Lookup(d.Fields[i].Value); ok {
			return p.Roles()
		}
	}
	return []Role{RoleClient}
}

// Check reports what is wrong with s, nil if s is right in at least one role. It does no I/O.
func (r *Registry) Check(s string) error {
	_, err := r.Roles(s)
	return err
}
