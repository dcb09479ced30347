// Package static is the resolver static: names with their addresses in the string itself.
package static

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/epctl/endpoint/internal/hostname"
	"github.com/epctl/endpoint/internal/lookup"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the resolver static. It does no I/O.
var Plugin = registry.Plugin{
	Name:     "static",
	Doc:      "Names with their addresses, for what no DNS has or should be asked.",
	Resolver: registry.For(newResolver),
}

type options struct {
	Name map[string][]netip.Addr `ep:"name,required" doc:"the name of a host as the key, and its addresses, with a zone if link-local"`
}

func newResolver(o options) (registry.Resolver, error) {
	r := resolver{names: make(map[string][]netip.Addr, len(o.Name))}
	var bad []error
	for _, key := range slices.Sorted(maps.Keys(o.Name)) {
		if err := r.add(key, o.Name[key]); err != nil {
			bad = append(bad, err)
		}
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return r, nil
}

// A resolver maps names in their canonical form to addresses.
type resolver struct{ names map[string][]netip.Addr }

func (r resolver) add(key string, addrs []netip.Addr) error {
	host, err := hostname.Parse(key)
	switch {
	case err != nil:
		return registry.Bad("name", "%q %w", key, err)
	case host.Addr.IsValid():
		return registry.Bad("name", "%q is an address: the name goes first, as in example.com=192.0.2.1", key)
	case len(addrs) == 0:
		return registry.Bad("name", "%q has no address", key)
	}
	name := strings.ToLower(strings.TrimSuffix(host.Name, "."))
	if _, twice := r.names[name]; twice {
		return registry.Bad("name", "%s is given twice", name)
	}
	r.names[name] = slices.Clone(addrs)
	return nil
}

// LookupNetIP returns the addresses in the order of the string.
func (r resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return lookup.Known(ctx, network, host, func(name string) ([]netip.Addr, bool) {
		addrs, ok := r.names[name]
		return addrs, ok
	})
}
