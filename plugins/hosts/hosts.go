// Package hosts is the resolver hosts: a file of names and addresses such as /etc/hosts.
package hosts

import (
	"context"
	"net/netip"

	"github.com/epctl/endpoint/internal/hostsfile"
	"github.com/epctl/endpoint/internal/lookup"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the resolver hosts.
var Plugin = registry.Plugin{
	Name:     "hosts",
	Doc:      "A file of names and addresses, such as /etc/hosts.",
	Resolver: registry.For(newResolver),
}

type options struct {
	File *string `ep:"file" doc:"file to read; where it is not given, /etc/hosts, on Windows the one of the system"`
}

func newResolver(o options) (registry.Resolver, error) {
	switch {
	case o.File == nil:
		return resolver{hostsfile.New("")}, nil
	case *o.File == "":
		return nil, registry.Bad("file", "is empty: the path of a file, or no file= for the system's own")
	}
	return resolver{hostsfile.New(*o.File)}, nil
}

type resolver struct{ file *hostsfile.File }

// LookupNetIP returns the addresses in the order of the file, as it is now.
func (r resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if err := lookup.Ended(ctx, host); err != nil {
		return nil, err
	}
	table, err := r.file.Table()
	if err != nil {
		return nil, lookup.Failed(host, err)
	}
	return lookup.Known(ctx, network, host, func(name string) ([]netip.Addr, bool) {
		addrs, ok := table[name]
		return addrs, ok
	})
}
