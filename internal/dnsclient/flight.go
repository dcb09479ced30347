package dnsclient

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/epctl/endpoint/internal/lookup"
)

// A question is what is asked: a name in lower case with a dot at its end, and the type of record.
type question struct {
	name  string
	qtype uint16
}

// A result is what came of a question.
type result struct {
	addrs    []netip.Addr
	err      *net.DNSError // without the name
	ttl      time.Duration // how long it may be kept
	nameless bool          // there is no such name, whatever the type
}

// A flight is a question that is under way, for all who ask it meanwhile.
type flight struct {
	done    chan struct{}
	result  result // once done
	waiting int    // how many want the result
	cancel  context.CancelFunc
}

// share answers q from the cache, from a flight, or by one that it starts. It returns when ctx ends; the flight ends when
// nobody waits for it any more.
func (c *Client) share(ctx context.Context, q question, host string) ([]netip.Addr, error) {
	c.mu.Lock()
	if r, ok := c.cache.get(q, time.Now()); ok {
		c.mu.Unlock()
		return r.forHost(host)
	}
	f := c.flights[q]
	if f == nil {
		f = c.takeOff(ctx, q)
	}
	f.waiting++
	c.mu.Unlock()

	select {
	case <-f.done:
		return f.result.forHost(host)
	case <-ctx.Done():
		c.leave(q, f)
		return nil, lookup.Ended(ctx, host)
	}
}

// takeOff starts a flight, with what ctx knows but not with its end. c.mu is held.
func (c *Client) takeOff(ctx context.Context, q question) *flight {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{done: make(chan struct{}), cancel: cancel}
	c.flights[q] = f
	go func() {
		defer cancel()
		f.result = c.resolve(ctx, q)
		c.land(q, f, ctx.Err() == nil)
		close(f.done)
	}()
	return f
}

// land keeps the result of a flight. One that was called off has none.
func (c *Client) land(q question, f *flight, arrived bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[q] == f {
		delete(c.flights, q)
	}
	if arrived {
		c.cache.put(q, f.result, time.Now())
	}
}

// leave calls the flight off when the last one who waits for it goes.
func (c *Client) leave(q question, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.waiting--; f.waiting > 0 {
		return
	}
	f.cancel()
	if c.flights[q] == f {
		delete(c.flights, q)
	}
}

// forHost is the result for one who asked for host. Callers may change what they get.
func (r result) forHost(host string) ([]netip.Addr, error) {
	if r.err != nil {
		err := *r.err
		err.Name = host
		return nil, &err
	}
	return slices.Clone(r.addrs), nil
}
