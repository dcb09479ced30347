package system_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/internal/sysresolver"
	"github.com/epctl/endpoint/plugins/system"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) { registrytest.Run(t, system.Plugin) }

var plugins = registry.Must(registry.New(system.Plugin))

// The backend is package net's preference.
func TestBackends(t *testing.T) {
	for s, preferGo := range map[string]bool{"system": false, "system:go": true, "system:backend=go": true} {
		r, _, err := plugins.Build(s, registry.RoleResolver)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := r.(*net.Resolver); !ok || got.PreferGo != preferGo || got.Dial != nil {
			t.Errorf("%s is %#v", s, r)
		}
	}
}

// The C library is refused where the program can't ask it, at the place where it is asked for.
func TestCgo(t *testing.T) {
	const s = "system:backend=cgo"
	r, _, err := plugins.Build(s, registry.RoleResolver)
	faults := grammar.All(err)
	switch {
	case sysresolver.HasCgo() && (err != nil || r.(*net.Resolver).PreferGo):
		t.Errorf("%#v, %v", r, err)
	case !sysresolver.HasCgo() && (len(faults) != 1 || s[faults[0].Start:faults[0].End] != "cgo"):
		t.Errorf("%v", err)
	}
}

// Localhost is in every system's configuration, and a literal is an answer of package net's.
func TestLookups(t *testing.T) {
	for _, s := range []string{"system", "system:backend=go"} {
		r, err := plugins.NewResolver(s)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		addrs, err := r.LookupNetIP(ctx, "ip4", "localhost")
		if err != nil || len(addrs) == 0 || !addrs[0].Unmap().IsLoopback() {
			t.Errorf("%s: localhost is %v, %v", s, addrs, err)
		}
		cancel()
		if _, err := r.LookupNetIP(ctx, "ip4", "host.invalid"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: with a cancelled context, %v", s, err)
		}
	}
}
