// Package happyeyeballs connects to the first of a host's addresses that works: RFC 8305, and
// draft-ietf-happy-happyeyeballs-v3 where that is settled (late answers, success that includes a handshake).
//
// An [Engine] looks both families up at once, orders the addresses by RFC 6724, interleaves the families and starts
// attempts a short delay apart; the first connection that is ready wins, all others are cancelled and closed. It asks
// for AAAA and A records only: no SVCB and HTTPS records, and it makes no NAT64 addresses of its own (on a network with
// NAT64 it relies on DNS64 or on the host's 464XLAT).
package happyeyeballs

import (
	"context"
	"net"
	"net/netip"
)

// An Engine dials hosts. It is safe for use by several goroutines; make one with [New].
type Engine struct {
	cfg    Config
	ipv4   bool // IPv4 addresses may be used
	ipv6   bool
	note   string // why a family is left out, for the trace and for errors; empty where none is
	memory *memory
}

// An Upgrade makes a connection ready for use, by a handshake such as TLS. It owns conn until it returns; the engine
// closes conn where it returns an error or is too late. ctx bounds the call only. An error that marks itself as terminal
// (see [Terminal]) says that trying again would not help.
type Upgrade func(ctx context.Context, conn net.Conn) (net.Conn, error)

// New makes an engine. It does no I/O. The error is a [*ConfigError].
func New(c Config) (*Engine, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	e := &Engine{cfg: c}
	e.ipv4, e.ipv6, e.note = c.families()
	if !e.ipv4 && !e.ipv6 {
		return nil, bad("Local", "%s", e.note)
	}
	if !c.NoMemory {
		e.memory = newMemory()
	}
	return e, nil
}

// Dial connects to the first address of host that accepts a connection to port. Host is a name or a literal address,
// with a zone where it needs one. A failure is an [*Error]. The connection is what Config.Dial returned.
func (e *Engine) Dial(ctx context.Context, host string, port uint16) (net.Conn, error) {
	return e.DialThrough(ctx, host, port, nil)
}

// DialThrough is Dial where an address has won only when upgrade has succeeded on its connection: an address that
// accepts connections and then hangs, or fails the handshake, loses to the next one. It returns what upgrade returned.
func (e *Engine) DialThrough(ctx context.Context, host string, port uint16, upgrade Upgrade) (net.Conn, error) {
	ctx, cancel := e.limit(ctx)
	defer cancel()
	d := newDial(e, host, port, upgrade)
	if ctx.Err() != nil {
		return nil, d.fail(ctx)
	}
	if addr, ok := literal(host); ok {
		return d.one(ctx, addr)
	}
	return d.race(ctx)
}

// limit puts the engine's own deadline on ctx.
func (e *Engine) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.cfg.Timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, e.cfg.Timeout)
}

// Resolve looks host up in the families that the engine uses, waits for both answers, and returns the addresses as
// Order does; port is for the memory alone. It fails, with an [*Error], only where there is no address at all.
func (e *Engine) Resolve(ctx context.Context, host string, port uint16) ([]Candidate, error) {
	ctx, cancel := e.limit(ctx)
	defer cancel()
	addrs, err := newDial(e, host, port, nil).resolveAll(ctx)
	if err != nil {
		return nil, err
	}
	return e.Order(ctx, addrs, port), nil
}

// Order returns addrs in the order in which Dial would try them for port, without duplicates and without those of a
// family that the engine leaves out, each with the rule that placed it behind the one before. Addresses that Deny
// refuses are there: a dial refuses them when their turn comes.
func (e *Engine) Order(ctx context.Context, addrs []netip.Addr, port uint16) []Candidate {
	l := newList(e, port)
	l.add(addrs)
	l.lookAll(ctx)
	l.sort(ctx)
	out := make([]Candidate, len(l.order))
	for i, c := range l.order {
		out[i] = c.Candidate
		if i > 0 {
			out[i].Rule = l.rule(l.order[i-1], c)
		}
	}
	return out
}
