package main

import (
	"context"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/epctl/endpoint/trace"
)

// grace is how long a picture waits, after a dial, for what it gave up to end.
const grace = 250 * time.Millisecond

// A picture keeps the events of one dial until they are drawn.
type picture struct {
	start time.Time
	file  string // for SVG, "" for none
	chart bool   // for text

	mu      sync.Mutex
	events  []trace.Event
	open    int           // what has begun and not ended
	settled chan struct{} // closed when nothing is open and somebody waits for that
	result  dialResult
}

// pictured returns a context whose events are kept where a picture of them is wanted: nil where it is not.
func pictured(ctx context.Context, form traceFlag, file string) (context.Context, *picture) {
	if form != traceText && file == "" {
		return ctx, nil
	}
	p := &picture{start: time.Now(), file: file, chart: form == traceText}
	return trace.With(ctx, p.add), p
}

func (p *picture) add(e trace.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
	switch e.Kind {
	case trace.ResolveStart, trace.AttemptStart, trace.HandshakeStart:
		p.open++
	case trace.ResolveDone, trace.AttemptDone, trace.HandshakeDone:
		p.open--
	}
	if p.open == 0 && p.settled != nil {
		close(p.settled)
		p.settled = nil
	}
}

// end notes how the dial ended, and waits a little for attempts that it gave up: they end later than the dial.
func (p *picture) end(conn net.Conn, err error) {
	if p == nil {
		return
	}
	p.result = dialResult{at: time.Now(), err: err}
	if err == nil {
		p.result.local, p.result.remote = conn.LocalAddr(), conn.RemoteAddr()
	}
	p.mu.Lock()
	settled := make(chan struct{})
	if p.open == 0 {
		close(settled)
	} else {
		p.settled = settled
	}
	p.mu.Unlock()
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-settled:
	case <-late.C:
	}
}

// seen are the events so far.
func (p *picture) seen() []trace.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.events)
}

// drawing is the chart of all that happened, and whether that was a race.
func (p *picture) drawing() (chart, bool) {
	events := p.seen()
	return newChart(events, p.start, p.result), raced(events)
}

// race is the chart of a race; false where there was none.
func (p *picture) race() (chart, bool) {
	if p == nil {
		return chart{}, false
	}
	return p.drawing()
}

// draw writes the picture: of a race on stderr, as SVG of whatever happened.
func (p *picture) draw(a *app) error {
	if p == nil {
		return nil
	}
	c, raced := p.drawing()
	if p.chart && raced {
		_ = a.err.print("\n" + c.text(a.err) + "\n")
	}
	if p.file == "" {
		return nil
	}
	return os.WriteFile(p.file, []byte(c.svg()), 0o644)
}
