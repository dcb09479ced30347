// Package system is the resolver system: package net's, which is also what endpoints use that are given none.
package system

import (
	"net"
	"runtime"

	"github.com/epctl/endpoint/internal/sysresolver"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the resolver system. Its resolvers are [*net.Resolver].
var Plugin = registry.Plugin{
	Name:     "system",
	Doc:      "The system's configuration, by Go's own resolver or by the C library's.",
	Resolver: registry.For(newResolver),
}

type options struct {
	Backend string `ep:"backend" enum:"go,cgo" doc:"go never asks the C library; cgo needs a program that can; where it is not given, package net decides for each name"`
}

func newResolver(o options) (registry.Resolver, error) {
	if o.Backend == "cgo" && !sysresolver.HasCgo() {
		return nil, registry.Bad("backend", "this program can't ask the C library of %s: it was built without cgo", runtime.GOOS)
	}
	return &net.Resolver{PreferGo: o.Backend == "go"}, nil
}
