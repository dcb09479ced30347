package happyeyeballs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/epctl/endpoint/trace"
)

// dial is one call of Dial or DialThrough.
type dial struct {
	e        *Engine
	host     string
	port     uint16
	upgrade  Upgrade
	begun    time.Time
	failures []Attempt
}

func newDial(e *Engine, host string, port uint16, upgrade Upgrade) *dial {
	return &dial{e: e, host: host, port: port, upgrade: upgrade, begun: time.Now()}
}

// one dials an address that has no rival, in the caller's goroutine.
func (d *dial) one(ctx context.Context, addr netip.Addr) (net.Conn, error) {
	if d.e.admits(addr) != nil {
		return nil, d.leftOut(ctx, addr)
	}
	start := time.Now()
	conn, stage, err := d.attempt(ctx, addr, nil)
	if err != nil {
		d.failed(addr, stage, time.Since(start), err)
		return nil, d.fail(ctx)
	}
	return conn, nil
}

// attempt dials addr and, where the dial goes through an upgrade, runs that. Between the two it calls connected. This is
// the only way to Config.Dial, and so the one place where Deny is asked.
func (d *dial) attempt(ctx context.Context, addr netip.Addr, connected func()) (net.Conn, Stage, error) {
	conn, stage, err := d.connect(ctx, addr)
	if err != nil || d.upgrade == nil {
		return conn, stage, err
	}
	if connected != nil {
		connected()
	}
	conn, err = d.shake(ctx, conn)
	return conn, StageHandshake, err
}

func (d *dial) connect(ctx context.Context, addr netip.Addr) (net.Conn, Stage, error) {
	to := netip.AddrPortFrom(addr, d.port)
	span := d.startAttempt(ctx, to)
	if d.e.cfg.Deny != nil {
		if err := d.e.cfg.Deny(addr); err != nil {
			span.End(nil, err)
			return nil, StageFilter, err
		}
	}
	conn, err := d.e.cfg.Dial(ctx, to)
	if err != nil {
		err = verdict(ctx, err)
		span.End(nil, err)
		return nil, StageConnect, err
	}
	if span.Active() {
		span.End(conn.LocalAddr(), nil)
	}
	return conn, StageConnect, nil
}

func (d *dial) startAttempt(ctx context.Context, to netip.AddrPort) trace.Span {
	if trace.From(ctx) == nil {
		return trace.Span{}
	}
	network := d.e.cfg.Network + "6"
	if to.Addr().Is4() {
		network = d.e.cfg.Network + "4"
	}
	return trace.StartAttempt(ctx, d.e.cfg.Layer, network, netAddr(d.e.cfg.Network, to))
}

// shake runs the upgrade. When ctx ends, the connection is closed under it: an upgrade that does not look at ctx fails
// all the same.
func (d *dial) shake(ctx context.Context, conn net.Conn) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	ready, err := d.upgrade(ctx, conn)
	if late := !stop(); late && err == nil {
		err = context.Cause(ctx)
		_ = conn.Close()
		_ = ready.Close()
	}
	if err != nil {
		_ = conn.Close()
		return nil, verdict(ctx, err)
	}
	return ready, nil
}

// verdict says why an attempt was ended, where it was the engine that ended it.
func verdict(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	switch cause := context.Cause(ctx).(type) {
	case lostError, gaveWayError:
		return cause
	}
	return err
}

func (d *dial) failed(addr netip.Addr, stage Stage, elapsed time.Duration, err error) {
	d.failures = append(d.failures, Attempt{
		Addr: netip.AddrPortFrom(addr, d.port), Family: familyOf(addr),
		Stage: stage, Elapsed: elapsed, Err: err, Terminal: isTerminal(err),
	})
}

func (d *dial) leftOut(ctx context.Context, addr netip.Addr) error {
	d.failed(addr, StageFilter, 0, d.e.admits(addr))
	return d.fail(ctx)
}

// fail is the dial's error. ctx is the caller's, perhaps with the engine's deadline.
func (d *dial) fail(ctx context.Context) *Error {
	if slices.ContainsFunc(d.failures, func(a Attempt) bool { return a.Stage != StageResolve }) {
		d.failures = slices.DeleteFunc(d.failures, func(a Attempt) bool {
			return a.Stage == StageResolve && isNotFound(a.Err)
		})
	}
	err := &Error{
		Host: d.host, Port: d.port, Attempts: d.failures,
		Elapsed: time.Since(d.begun), Err: contextError(ctx),
	}
	if _, ok := literal(d.host); !ok {
		err.Note = d.e.note
	}
	return err
}

// contextError is ctx's error together with the cause that the caller gave, if any.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil || errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
