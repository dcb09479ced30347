package hostname_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/registry"
)

// patience is how long a failed test waits.
const patience = 60 * time.Second

// names is a resolver as a test wants it: for each name the addresses of one look-up after the other, the last ones for
// good. What is asked for one family gets the addresses of that.
type names struct {
	mu      sync.Mutex
	answers map[string][][]netip.Addr
}

// say appends an answer for name; all networks of one dial have to be asked before the next answer has its turn.
func (n *names) say(name string, addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var parsed []netip.Addr
	for _, a := range addrs {
		parsed = append(parsed, netip.MustParseAddr(a))
	}
	if n.answers == nil {
		n.answers = make(map[string][][]netip.Addr)
	}
	for _, network := range []string{"ip6", "ip4"} {
		n.answers[network+name] = append(n.answers[network+name], ofNetwork(network, parsed))
	}
}

func ofNetwork(network string, addrs []netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, a := range addrs {
		if a.Is4() == (network == "ip4") {
			out = append(out, a)
		}
	}
	return out
}

func (n *names) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	turns := n.answers[network+host]
	if len(turns) > 1 {
		n.answers[network+host] = turns[1:]
	}
	if len(turns) == 0 || len(turns[0]) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return turns[0], nil
}

// registry has the plugin under test and, under the name "names", the resolver.
func (n *names) registry() *registry.Registry {
	return registry.Must(registry.New(hostname.Plugin, registry.Plugin{
		Name: "names", Doc: "What a test says.",
		Resolver: registry.For(func(struct{}) (registry.Resolver, error) { return n, nil }),
	}))
}

func isDenied(err error) bool {
	var denied *happyeyeballs.DeniedError
	return errors.As(err, &denied)
}
