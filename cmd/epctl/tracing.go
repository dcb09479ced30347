package main

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/epctl/endpoint/trace"
)

// A tracePrinter prints events on a goroutine of its own, since a tracer must not wait for a terminal.
type tracePrinter struct {
	print func(trace.Event)
	done  chan struct{}

	mu     sync.Mutex
	queue  []trace.Event
	more   sync.Cond
	closed bool
}

// traced returns a context whose events are printed on stderr in the given form, and what ends the printing once all
// events so far are there.
func (a *app) traced(ctx context.Context, form traceFlag) (context.Context, func()) {
	switch form {
	case "":
		return ctx, func() {}
	case traceJSON:
		return printed(ctx, func(e trace.Event) { _ = a.err.print(eventLine(e)) })
	}
	line := newTimeline(a.err, time.Now())
	return printed(ctx, func(e trace.Event) { _ = a.err.print(line.line(e)) })
}

// warned is traced, but without a form the warnings are printed nevertheless.
func (a *app) warned(ctx context.Context, form traceFlag) (context.Context, func()) {
	if form != "" {
		return a.traced(ctx, form)
	}
	return printed(ctx, func(e trace.Event) {
		if e.Kind == trace.Warning {
			_ = a.err.print(a.err.words("warning: ", a.err.warning, e.Layer+": "+e.Detail))
		}
	})
}

func printed(ctx context.Context, print func(trace.Event)) (context.Context, func()) {
	p := &tracePrinter{print: print, done: make(chan struct{})}
	p.more.L = &p.mu
	go p.run()
	return trace.With(ctx, p.add), p.close
}

func (p *tracePrinter) add(e trace.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, e)
	p.more.Signal()
}

func (p *tracePrinter) run() {
	defer close(p.done)
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed || len(p.queue) > 0 {
		if len(p.queue) == 0 {
			p.more.Wait()
			continue
		}
		events := p.queue
		p.queue = nil
		p.mu.Unlock()
		for _, e := range events {
			p.print(e)
		}
		p.mu.Lock()
	}
}

func (p *tracePrinter) close() {
	p.mu.Lock()
	p.closed = true
	p.more.Signal()
	p.mu.Unlock()
	<-p.done
}

// An event is the JSON form of a trace.Event.
type event struct {
	Kind      trace.Kind   `json:"kind"`
	Time      time.Time    `json:"time"`
	ID        uint64       `json:"id,omitempty"` // ties a start to its done
	Layer     string       `json:"layer,omitempty"`
	Network   string       `json:"network,omitempty"`
	Host      string       `json:"host,omitempty"`
	Local     string       `json:"local,omitempty"`
	Remote    string       `json:"remote,omitempty"`
	Addrs     []netip.Addr `json:"addrs,omitempty"`
	ElapsedMS float64      `json:"elapsedMs,omitempty"`
	Error     string       `json:"error,omitempty"`
	Detail    string       `json:"detail,omitempty"`
	Layers    []eventLayer `json:"layers,omitempty"`
}

type eventLayer struct {
	Name  string `json:"name"`
	Depth int    `json:"depth"`
	Text  string `json:"text"`
}

func newEvent(e trace.Event) event {
	out := event{
		Kind: e.Kind, Time: e.Time, ID: e.ID, Layer: e.Layer, Network: e.Network, Host: e.Host,
		Local: addressText(e.Local), Remote: addressText(e.Remote), Addrs: e.Addrs,
		ElapsedMS: milliseconds(e.Elapsed), Detail: e.Detail,
	}
	if e.Err != nil {
		out.Error = e.Err.Error()
	}
	for _, l := range e.Layers {
		out.Layers = append(out.Layers, eventLayer(l))
	}
	return out
}

func eventLine(e trace.Event) string {
	var b bytes.Buffer
	_ = newJSON(&b).Encode(newEvent(e)) // to memory
	return b.String()
}

func addressText(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
