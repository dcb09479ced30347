package happyeyeballs

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"
)

// handle takes in a report, and returns true where it ends the race: by a connection, or by an error that ends it.
func (r *race) handle(rep report) bool {
	switch {
	case rep.connected:
		rep.flight.connected = max(1, time.Since(rep.started))
		r.extend(rep.flight)
		return false
	case rep.err == nil:
		r.won(rep.flight)
		return true
	}
	r.crashed(rep)
	return r.e.cfg.TerminalEnds && isTerminal(rep.err)
}

// extend puts the next attempt off, once, when the last one makes progress: to the time that its handshake may need, which
// is estimated at three round trips (TLS 1.2 has two), never less than an attempt delay, and never more than two seconds after
// the last start. Draft, section "Determining successful connection establishment".
func (r *race) extend(f *flight) {
	if r.due || r.extended {
		return
	}
	until := time.Now().Add(max(3*f.connected, r.e.cfg.AttemptDelay))
	if most := r.last.started.Add(MaxAttemptDelay); until.After(most) {
		until = most
	}
	if until.After(r.nextAt) {
		r.extended = true
		r.putOff(until)
	}
}

// crashed takes in that an attempt failed. The next one is due when it was the last one, or when no other is under way.
func (r *race) crashed(rep report) {
	f := rep.flight
	r.inFlight = slices.DeleteFunc(r.inFlight, func(g *flight) bool { return g == f })
	r.failed(f.Addr, rep.stage, time.Since(f.started), rep.err)
	if rep.stage != StageFilter && r.ctx.Err() == nil {
		r.learn(f, Failed)
	}
	if f == r.last || len(r.inFlight) == 0 {
		r.due = true
	}
}

// won remembers who won, and that those lost who had a start of an attempt delay or more.
func (r *race) won(f *flight) {
	if f.connected == 0 {
		f.connected = time.Since(f.started)
	}
	r.learn(f, Worked)
	for _, g := range r.inFlight {
		if g != f && r.hung(g) {
			r.learn(g, Failed)
		}
	}
}

// hung reports whether the attempt has been waited for so long that it counts as a failure.
func (r *race) hung(f *flight) bool { return time.Since(f.started) >= r.e.cfg.AttemptDelay }

// lose is the race's error: what failed, and what was under way when the context ended.
func (r *race) lose() error {
	ended := contextError(r.caller)
	for _, f := range r.inFlight {
		stage := StageConnect
		if f.connected > 0 {
			stage = StageHandshake
		}
		if ended != nil {
			r.failed(f.Addr, stage, time.Since(f.started), ended)
		}
		if errors.Is(ended, context.DeadlineExceeded) && r.hung(f) {
			r.learn(f, Failed)
		}
	}
	for _, family := range r.asked {
		if ended != nil {
			r.failures = append(r.failures, lookUpFailure(family, time.Since(r.begun), ended))
		}
	}
	err := r.fail(r.caller)
	err.Untried = len(r.list.all) - r.list.tried
	return err
}

// learn tells the memory about f, unless f never had a rival and the memory has nothing else of it.
func (r *race) learn(f *flight, o Outcome) {
	if len(r.list.all) > 1 || r.list.hint(f.candidate) != Unknown {
		r.list.look(r.ctx, f.candidate)
	}
	if !f.known || !f.reachable() {
		return
	}
	rec := record{dst: r.addrPort(f.candidate), src: f.Source.Addr, outcome: o}
	if o == Worked {
		rec.connect = f.connected
	}
	r.e.memory.learn(rec)
}

func (r *race) addrPort(c *candidate) netip.AddrPort { return netip.AddrPortFrom(c.Addr, r.port) }

// An alarm is a timer that exists only once it is set.
type alarm struct{ timer *time.Timer }

func (a *alarm) set(d time.Duration) {
	if a.timer == nil {
		a.timer = time.NewTimer(d)
		return
	}
	a.timer.Reset(d)
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

// ring is nil, and so never ready, before the alarm is set.
func (a *alarm) ring() <-chan time.Time {
	if a.timer == nil {
		return nil
	}
	return a.timer.C
}
