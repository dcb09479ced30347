package registrytest

import (
	"context"
	"net/netip"
	"testing"

	"github.com/epctl/endpoint/registry"
)

// inspects checks that an inspection returns at once, also where its context is over, that it leaves nothing open, and
// that what it finds is about parameters that there are. An example that names a host is inspected with a context that is
// over only, for nobody else may be asked for that name.
func (s *suite) inspects(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for _, sp := range s.all() {
		if _, ok := sp.endpoint.(registry.Inspector); !ok {
			continue
		}
		contexts := []context.Context{over}
		if !namesHost(sp.layer) {
			contexts = append(contexts, context.Background())
		}
		for _, ctx := range contexts {
			if !s.inTime(t, ruleContext, "Inspect of "+sp.text, func() { s.inspect(ctx, t, sp) }) {
				return
			}
		}
	}
}

// namesHost reports whether a description has a host that is not an address.
func namesHost(layer *registry.Layer) bool {
	names := false
	layer.Walk(func(l *registry.Layer, _ int) {
		if host, ok := argOf(l, "host").Value.(string); ok && host != "" {
			_, err := netip.ParseAddr(host)
			names = names || err != nil
		}
	})
	return names
}

func (s *suite) inspect(ctx context.Context, t *testing.T, sp specimen) {
	before, _ := descriptors()
	args := make([]registry.Arg, len(sp.layer.Args))
	for i, a := range sp.layer.Args {
		args[i] = a.Arg
	}
	defer func() {
		if p := recover(); p != nil {
			rulePlace.fail(t, "%q: Inspect panics: %v", sp.text, p)
		}
	}()
	for _, f := range sp.endpoint.(registry.Inspector).Inspect(ctx) {
		if err := checkSaid("finding", append([]string{f.Param}, f.Also...), f.Message, registry.NewArgs(args)); err != nil {
			rulePlace.fail(t, "%q: %v", sp.text, err)
		}
	}
	after, _ := descriptors()
	if opened := diff(before, after); len(opened) > 0 {
		ruleLeak.fail(t, "Inspect of %q leaves descriptors open: %s", sp.text, summary(opened))
	}
}
