package dnsclient

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"

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
	q       question
	sent    chan struct{} // closed when the question has gone out, or when there is nothing more to wait for
	done    chan struct{}
	result  result // once done
	waiting int    // how many want the result
	cancel  context.CancelFunc
}

// A ticket is a claim to a result: to one that is there or, where flight is not nil, to one that comes.
type ticket struct {
	flight *flight
	result result
}

// join answers q from the cache, or by a flight that is under way or begins. What it returns has to be given to await.
func (c *Client) join(ctx context.Context, q question) ticket {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.cache.get(q, time.Now()); ok {
		return ticket{result: r}
	}
	f := c.flights[q]
	if f == nil {
		f = c.takeOff(ctx, q)
	}
	f.waiting++
	return ticket{flight: f}
}

// await waits for the result, for one who asked for host. It returns when ctx ends; the flight ends when nobody waits for
// it any more.
func (c *Client) await(ctx context.Context, t ticket, host string) ([]netip.Addr, error) {
	if t.flight == nil {
		return t.result.forHost(host)
	}
	select {
	case <-t.flight.done:
		return t.flight.result.forHost(host)
	case <-ctx.Done():
		c.leave(t.flight)
		return nil, lookup.Ended(ctx, host)
	}
}

// takeOff starts a flight, with what ctx knows but not with its end. c.mu is held.
func (c *Client) takeOff(ctx context.Context, q question) *flight {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{q: q, sent: make(chan struct{}), done: make(chan struct{}), cancel: cancel}
	sent := sync.OnceFunc(func() { close(f.sent) })
	ctx = context.WithValue(ctx, sentKey{}, sent)
	ahead := c.ahead(q)
	c.flights[q] = f
	go func() {
		defer cancel()
		letGo(ctx, ahead)
		f.result = c.resolve(ctx, q)
		sent()
		c.land(f, ctx.Err() == nil)
		close(f.done)
	}()
	return f
}

// mostBehind is how long a question waits at most until the one before it has gone out.
const mostBehind = 5 * time.Millisecond

type sentKey struct{}

// goneOut tells that the question of ctx is on its way.
func goneOut(ctx context.Context) {
	if sent, ok := ctx.Value(sentKey{}).(func()); ok {
		sent()
	}
}

// ahead is the flight whose question has to go out before q: RFC 8305 section 3 wants AAAA before A. c.mu is held.
func (c *Client) ahead(q question) *flight {
	if q.qtype != dns.TypeA {
		return nil
	}
	return c.flights[question{q.name, dns.TypeAAAA}]
}

// letGo waits until the question of a flight has gone out.
func letGo(ctx context.Context, ahead *flight) {
	if ahead == nil {
		return
	}
	timer := time.NewTimer(mostBehind)
	defer timer.Stop()
	select {
	case <-ahead.sent:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// land keeps the result of a flight. One that was called off has none.
func (c *Client) land(f *flight, arrived bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(f)
	if arrived {
		c.cache.put(f.q, f.result, time.Now())
	}
}

// leave calls the flight off when the last one who waits for it goes.
func (c *Client) leave(f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.waiting--; f.waiting > 0 {
		return
	}
	f.cancel()
	c.forget(f)
}

// forget lets nobody join f any more. c.mu is held.
func (c *Client) forget(f *flight) {
	if c.flights[f.q] == f {
		delete(c.flights, f.q)
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
