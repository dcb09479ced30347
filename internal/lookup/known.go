package lookup

import (
	"context"
	"net/netip"
)

// Known answers for a resolver that knows all of its names: addrs is what it has for a name in its canonical form, false
// where it does not have it.
func Known(ctx context.Context, network, host string, addrs func(name string) ([]netip.Addr, bool)) ([]netip.Addr, error) {
	families, err := FamiliesOf(network)
	if err != nil {
		return nil, err
	}
	if err := Ended(ctx, host); err != nil {
		return nil, err
	}
	name, ok := Canonical(host)
	if !ok {
		return nil, NoSuchHost(host)
	}
	all, ok := addrs(name)
	if !ok {
		return nil, NoSuchHost(host)
	}
	if out := families.Select(all); len(out) > 0 {
		return out, nil
	}
	return nil, NoAddress(host, families)
}
