package happyeyeballs

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"
)

// race runs a dial to a host with more than one address, or with addresses that are not known yet. One goroutine, the
// caller's, holds all of its state; look-ups and attempts report to it through channels.
type race struct {
	*dial
	caller  context.Context // the caller's
	ctx     context.Context // ends with the race
	list    *addressList
	answers <-chan answer
	asked   []Family // look-ups that have not answered

	waited   bool  // nobody waits any more for the preferred family
	patience alarm // the resolution delay

	inFlight []*flight
	last     *flight   // started last
	due      bool      // the next attempt may start
	next     alarm     // the attempt delay
	nextAt   time.Time // when next rings
	extended bool      // next has been put off since the last start

	reports chan report   // made with the first flight, as done is: a lone address has none
	done    chan struct{} // closed when the race is over: from now on reports reach nobody
}

// A flight is an attempt under way.
type flight struct {
	*candidate
	cancel    context.CancelCauseFunc
	started   time.Time
	connected time.Duration // from start to the connection, 0 until there is one
	gaveWay   bool          // has been cancelled to make room
}

// A report is a step of a flight: connected, or its end.
type report struct {
	*flight
	connected bool
	conn      net.Conn
	stage     Stage
	err       error
}

func (d *dial) race(ctx context.Context) (net.Conn, error) {
	inner, cancel := context.WithCancelCause(ctx)
	r := &race{
		dial: d, caller: ctx, ctx: inner, list: newList(d.e, d.port),
		due: true,
	}
	conn, winner, err := r.run()
	if r.done != nil {
		close(r.done)
	}
	r.patience.stop()
	r.next.stop()
	if winner == nil {
		cancel(nil)
		return conn, err
	}
	cancel(lostError{r.addrPort(winner.candidate)})
	return conn, nil
}

// run returns the connection and the flight that won it; no flight where there was nothing to race.
func (r *race) run() (net.Conn, *flight, error) {
	r.ask()
	for {
		if c := r.lone(); c != nil {
			conn, err := r.one(r.caller, c.Addr)
			return conn, nil, err
		}
		r.startDue()
		if r.over() || r.ctx.Err() != nil {
			return nil, nil, r.lose()
		}
		select {
		case a := <-r.answers:
			r.hear(a)
		case <-r.patience.ring():
			r.waited = true
		case <-r.next.ring():
			r.due = true
		case rep := <-r.reports:
			if done := r.handle(rep); done && rep.err != nil {
				return nil, nil, r.lose()
			} else if done {
				return rep.conn, rep.flight, nil
			}
		case <-r.ctx.Done():
		}
	}
}

// ask finds the addresses of a host that needs no look-up, or starts the look-ups.
func (r *race) ask() {
	if addrs, ok := known(r.host); ok {
		r.list.add(addrs)
		r.list.recall(r.ctx)
		r.waited = true
		return
	}
	r.warnLeftOut(r.caller)
	r.asked = r.e.families()
	r.answers = r.lookUp(r.ctx)
}

// hear takes in an answer.
func (r *race) hear(a answer) {
	r.asked = slices.DeleteFunc(r.asked, func(f Family) bool { return f == a.family })
	before, cut := len(r.list.all), r.list.cut
	r.absorb(r.list, a)
	if len(r.list.all) > before {
		r.list.recall(r.ctx)
	}
	if r.list.cut > cut {
		r.warn(r.caller, fmt.Sprintf("%d %s addresses: only the first %d are used", len(a.addrs), a.family.long(), MaxAddresses))
	}
	r.await(a.family)
}

// await decides, after an answer for family, whether attempts may start. RFC 8305 section 3: the preferred family's answer,
// be it negative, ends the wait; one for the other family starts the resolution delay. So does an answer with an address
// that failed lately and none that worked: most likely it was the other family that worked. And so does any answer for
// datagrams: a socket for them connects wherever there is a route, so that the first choice is the last.
func (r *race) await(family Family) {
	enough := family == r.e.preferred() && !r.list.doubtful() && r.e.cfg.Network != "udp"
	switch {
	case r.waited:
	case len(r.asked) == 0, r.e.cfg.ResolutionDelay < 0, enough:
		r.waited = true
	case len(r.list.all) > 0:
		r.patience.set(r.e.cfg.ResolutionDelay)
	}
}

// lone is the address of a host that turned out to have just one, and that can be dialed without more ado.
func (r *race) lone() *candidate {
	if len(r.asked) > 0 || len(r.list.all) != 1 || r.list.all[0].tried {
		return nil
	}
	return r.list.take(r.ctx)
}

// startDue starts the next attempt where its time has come and there is room.
func (r *race) startDue() {
	if !r.due || !r.waited || r.list.next(r.ctx) == nil {
		return
	}
	if len(r.inFlight) >= MaxInFlight {
		r.makeRoom()
		return
	}
	r.start(r.list.take(r.ctx))
}

func (r *race) start(c *candidate) {
	if r.reports == nil {
		r.reports, r.done = make(chan report), make(chan struct{})
	}
	ctx, cancel := context.WithCancelCause(r.ctx)
	f := &flight{candidate: c, cancel: cancel, started: time.Now()}
	r.inFlight = append(r.inFlight, f)
	r.last, r.due, r.extended = f, false, false
	r.putOff(f.started.Add(r.e.cfg.AttemptDelay))
	go func() {
		defer cancel(nil)
		conn, stage, err := r.attempt(ctx, c.Addr, func() { r.tell(report{flight: f, connected: true}) })
		if heard := r.tell(report{flight: f, conn: conn, stage: stage, err: err}); !heard && err == nil {
			_ = conn.Close()
		}
	}()
}

// tell reports to the race, and returns false where that is over.
func (r *race) tell(rep report) bool {
	select {
	case r.reports <- rep:
		return true
	case <-r.done:
		return false
	}
}

func (r *race) putOff(until time.Time) {
	r.nextAt = until
	r.next.set(time.Until(until))
}

// makeRoom ends the oldest attempt, once it has had the longest time that RFC 8305 lets pass between two attempts, or
// waits until it has. One that has connected and is shaking hands goes last.
func (r *race) makeRoom() {
	if slices.ContainsFunc(r.inFlight, func(f *flight) bool { return f.gaveWay }) {
		return // its report is on the way
	}
	i := max(0, slices.IndexFunc(r.inFlight, func(f *flight) bool { return f.connected == 0 }))
	oldest := r.inFlight[i]
	age := time.Since(oldest.started)
	if age < MaxAttemptDelay {
		r.putOff(oldest.started.Add(MaxAttemptDelay))
		return
	}
	oldest.gaveWay = true
	oldest.cancel(gaveWayError{age})
}

// over reports whether nothing can change any more.
func (r *race) over() bool {
	return len(r.asked) == 0 && len(r.inFlight) == 0 && r.list.next(r.ctx) == nil
}
