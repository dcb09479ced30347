package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/registry"
)

// A dial is one way to connect; i is the number of the pair within a block.
type dial func(ctx context.Context, i int) (net.Conn, error)

// A contest is one line of the report: blocks of pairs of dials, hostname: and net.Dialer in turn.
type contest struct {
	name    string
	limit   float64 // what the ratio is at most; 0: nothing is promised
	rescue  bool    // net.Dialer has to fail, hostname: to connect
	blocks  int
	pairs   int
	prepare func(ctx context.Context, pairs int) (ours, theirs dial, err error) // before each block
}

// Blocks of the quick dials, which take fractions of a millisecond: many, because something else may be running.
const quickBlocks, quickPairs = 40, 100

var contests = []contest{
	{"1 dropped IPv6 address before a live IPv4 one", 0.9, false, 20, 1, first("drop1.example.", 30)},
	{"3 dropped IPv6 addresses before a live IPv4 one", 0.9, false, 20, 1, first("drop3.example.", 30)},
	{"5 dropped IPv6 addresses before a live IPv4 one", 0.9, false, 20, 1, first("drop5.example.", 30)},
	{"3 dropped IPv6 addresses before a live IPv6 one, limit 20s", 0.06, false, 3, 1, first("drop3then6.example.", 20)},
	{"3 dropped IPv6 addresses before a live IPv6 one, limit 6s", 0, true, 3, 1, first("drop3then6.example.", 6)},
	{"second dial, 1 dropped address; net.Dialer: all live", 1.2, false, quickBlocks, quickPairs, second("drop1.example.", "live1.example.")},
	{"second dial, 3 dropped addresses; net.Dialer: all live", 1.2, false, quickBlocks, quickPairs, second("drop3.example.", "live3.example.")},
	{"second dial, 5 dropped addresses; net.Dialer: all live", 1.2, false, quickBlocks, quickPairs, second("drop5.example.", "live5.example.")},
	{"second dial, 1 dropped address; net.Dialer: the live one only", 0, false, quickBlocks, quickPairs, second("drop1.example.", "one4.example.")},
	{"second dial, 3 dropped addresses; net.Dialer: the live one only", 0, false, quickBlocks, quickPairs, second("drop3.example.", "one4.example.")},
	{"IPv4 literal", 1.1, false, quickBlocks, quickPairs, again(live4)},
	{"IPv6 literal", 1.1, false, quickBlocks, quickPairs, again(live6[0])},
	{"name with one IPv4 address", 1.1, false, quickBlocks, quickPairs, again("one4.example.")},
	{"name with one IPv6 address", 1.1, false, quickBlocks, quickPairs, again("one6.example.")},
	{"name with a live address of each family", 0, false, quickBlocks, quickPairs, again("live1.example.")},
}

// resolver asks the lab's DNS server; both sides have it.
func resolver() *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "udp4", dnsServer)
		},
	}
}

// clients makes n endpoints, each with a memory of its own.
func clients(host string, seconds, n int) ([]registry.Client, error) {
	plugins, err := registry.New(hostname.Plugin, registry.Plugin{
		Name: "lab", Doc: "The lab's DNS server.",
		Resolver: registry.For(func(struct{}) (registry.Resolver, error) { return resolver(), nil }),
	})
	if err != nil {
		return nil, err
	}
	out := make([]registry.Client, n)
	for i := range out {
		s := fmt.Sprintf("hostname:host=[%s]:port=%s:timeout=%d:resolver={lab}", host, port, seconds)
		if out[i], err = plugins.NewClient(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func dialer(host string, seconds int) dial {
	d := net.Dialer{Resolver: resolver(), Timeout: time.Duration(seconds) * time.Second}
	address := net.JoinHostPort(host, port)
	return func(ctx context.Context, _ int) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
}

// first dials with an endpoint that has never dialed before.
func first(host string, seconds int) func(context.Context, int) (ours, theirs dial, err error) {
	return func(_ context.Context, pairs int) (dial, dial, error) {
		c, err := clients(host, seconds, pairs)
		ours := func(ctx context.Context, i int) (net.Conn, error) { return c[i].Dial(ctx) }
		return ours, dialer(host, seconds), err
	}
}

// again dials with one endpoint over and over.
func again(host string) func(context.Context, int) (ours, theirs dial, err error) {
	return func(context.Context, int) (dial, dial, error) {
		c, err := clients(host, 30, 1)
		ours := func(ctx context.Context, _ int) (net.Conn, error) { return c[0].Dial(ctx) }
		return ours, dialer(host, 30), err
	}
}

// second dials with an endpoint that has dialed once; net.Dialer dials a name that has the live address only.
func second(host, plain string) func(context.Context, int) (ours, theirs dial, err error) {
	return func(ctx context.Context, pairs int) (dial, dial, error) {
		c, err := clients(host, 30, pairs)
		if err != nil {
			return nil, nil, err
		}
		ours := func(ctx context.Context, i int) (net.Conn, error) { return c[i].Dial(ctx) }
		return ours, dialer(plain, 30), each(pairs, func(i int) error {
			conn, err := c[i].Dial(ctx)
			if err == nil {
				drop(conn)
			}
			return err
		})
	}
}

// each runs f for 0 to n-1 at once and returns an error of one of them.
func each(n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// drop closes conn by a reset, so that no port waits for stray packets: thousands of them would use the ports up.
func drop(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
