// Package acceptloop accepts connections for those who own the loop, and survives what a listener can come back from:
// a process or a system without descriptors, buffers or memory, a peer that has gone already, a firewall that says no.
package acceptloop

import (
	"context"
	"errors"
	"net"
	"time"
)

const (
	minDelay    = 5 * time.Millisecond
	maxDelay    = time.Second
	reportEvery = 10 * time.Second
)

// A Failure is one or more failed accepts of a loop that goes on.
type Failure struct {
	Err   error         // the latest error
	Count int           // failed accepts since the last report, this one included
	Delay time.Duration // how long the loop waits before it tries again
}

// Run accepts connections from ln and calls handle with each, on the loop's own goroutine: a handle that takes its
// time starts a goroutine.
//
// A failed accept never ends the loop, whatever the error: the loop waits, 5 ms after the first failure in a row, then
// twice as long each time up to 1 s, and tries again, because connections that wait in the listen queue are not lost
// by the failure. Report, if not nil, is called with the first failure and then at most every 10 s.
//
// Run returns when ln is closed, with an error that is net.ErrClosed, or when ctx is done, with context.Cause(ctx): it
// closes ln then. A close of ln by somebody else during a wait is noticed after the wait.
func Run(ctx context.Context, ln net.Listener, handle func(net.Conn), report func(Failure)) error {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	loop := loop{report: report}
	for {
		c, err := ln.Accept()
		if err == nil {
			loop.delay = 0
			handle(c)
			continue
		}
		if ctx.Err() != nil {
			// The close may still be under way on the other goroutine.
			_ = ln.Close()
			return context.Cause(ctx)
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		loop.failed(err)
		wait(ctx, loop.delay)
	}
}

// A loop is what Run remembers of the failures so far.
type loop struct {
	report   func(Failure)
	delay    time.Duration
	count    int
	reported time.Time
}

func (l *loop) failed(err error) {
	l.delay = min(max(2*l.delay, minDelay), maxDelay)
	l.count++
	now := time.Now()
	if l.report == nil || !l.reported.IsZero() && now.Sub(l.reported) < reportEvery {
		return
	}
	l.report(Failure{Err: err, Count: l.count, Delay: l.delay})
	l.reported, l.count = now, 0
}

// wait returns early when ctx is done; the next Accept then finds ln closed, or closing.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
