// Package trace tells whoever asks what a dial or a listen is doing.
//
// The asker puts a [Tracer] into the context, as with net/http/httptrace; the layers that an endpoint is made of call
// it with an [Event] for each thing that happens. Without a tracer in the context nothing is built and nothing is
// called.
package trace

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// A Tracer receives events. It may be called from several goroutines at once, also after the call that it traces has
// returned (a losing attempt ends later than the winner), and must not block.
type Tracer func(Event)

// Kind says what an event is about.
type Kind string

// The kinds of events.
const (
	// Built comes first, when a compiled endpoint is about to be used. Layers is set.
	Built Kind = "built"
	// ResolveStart and ResolveDone frame one look-up of Host; Network is "ip", "ip4" or "ip6". Addrs or Err is set when done.
	ResolveStart Kind = "resolve-start"
	ResolveDone  Kind = "resolve-done"
	// AttemptStart and AttemptDone frame one connection attempt to Remote. Local or Err is set when done.
	AttemptStart Kind = "attempt-start"
	AttemptDone  Kind = "attempt-done"
	// HandshakeStart and HandshakeDone frame what a wrapper does on a connection before it is handed out. Detail says what it
	// does, and when done what was agreed on, where the wrapper tells that.
	HandshakeStart Kind = "handshake-start"
	HandshakeDone  Kind = "handshake-done"
	// Listening says that a socket is bound to Local, or why not in Err.
	Listening Kind = "listening"
	// Changed says that a live endpoint changed what it is bound or joined to; Detail tells it.
	Changed Kind = "changed"
	// Warning is something that works but that its user should know of; Detail tells it. What is not wise about an
	// endpoint's string is told each time that the endpoint is used, right after Built.
	Warning Kind = "warning"
)

// An Event is one thing that happened. Fields that do not apply are zero.
type Event struct {
	Kind    Kind
	Time    time.Time     // filled by [Tracer.Emit] where it is zero
	ID      uint64        // ties a start to its done; unique in the process
	Layer   string        // name of the plugin that tells it
	Network string        // as in package net: "tcp6", "udp4", "ip"
	Host    string        // name that is looked up
	Local   net.Addr      // local address of the socket, when known
	Remote  net.Addr      // address that is dialed
	Addrs   []netip.Addr  // answer of a look-up
	Elapsed time.Duration // from start to done; done events only
	Err     error
	Detail  string  // for people, one line
	Layers  []Layer // the stack, outermost first; Built only
}

// A Layer is one endpoint of the stack that a connection is built from.
type Layer struct {
	Name  string // the plugin's name
	Depth int    // 0 is the outermost
	Text  string // the layer's description in canonical form, secrets redacted
}

type contextKey struct{}

// With returns a context in which t receives the events. A tracer that is already there goes on receiving them, before t.
func With(ctx context.Context, t Tracer) context.Context {
	if t == nil {
		return ctx
	}
	if outer := From(ctx); outer != nil {
		inner := t
		t = func(e Event) { outer(e); inner(e) }
	}
	return context.WithValue(ctx, contextKey{}, t)
}

// From returns the context's tracer, nil where there is none. Code on a hot path asks once and builds an event only
// for a tracer that is there.
func From(ctx context.Context) Tracer {
	t, _ := ctx.Value(contextKey{}).(Tracer)
	return t
}

// Emit calls t with e, and fills e.Time where it is zero. It does nothing on a nil Tracer.
func (t Tracer) Emit(e Event) {
	if t == nil {
		return
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	t(e)
}
