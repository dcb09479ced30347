package trace

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

var lastID atomic.Uint64

// A Span is something that has begun and will end: a look-up, an attempt, a handshake. The zero Span, which the start
// functions return when nobody listens, does nothing.
type Span struct {
	t     Tracer
	start Event
	done  Kind
}

func begin(ctx context.Context, e Event, done Kind) Span {
	t := From(ctx)
	if t == nil {
		return Span{}
	}
	e.ID = lastID.Add(1)
	e.Time = time.Now()
	t(e)
	return Span{t: t, start: e, done: done}
}

// StartAttempt tells that layer begins to connect to remote over network.
func StartAttempt(ctx context.Context, layer, network string, remote net.Addr) Span {
	return begin(ctx, Event{Kind: AttemptStart, Layer: layer, Network: network, Remote: remote}, AttemptDone)
}

// StartResolve tells that layer begins to look host up; network is "ip", "ip4" or "ip6".
func StartResolve(ctx context.Context, layer, network, host string) Span {
	return begin(ctx, Event{Kind: ResolveStart, Layer: layer, Network: network, Host: host}, ResolveDone)
}

// StartHandshake tells that layer begins to talk on a connection to remote that is not handed out yet.
func StartHandshake(ctx context.Context, layer, detail string, remote net.Addr) Span {
	return begin(ctx, Event{Kind: HandshakeStart, Layer: layer, Detail: detail, Remote: remote}, HandshakeDone)
}

// Active reports whether somebody listens, so that what End would be given need not be computed for nobody.
func (s Span) Active() bool { return s.t != nil }

// End tells how an attempt or a handshake ended: local is the connection's local address, nil where there is none.
func (s Span) End(local net.Addr, err error) {
	s.finish(func(e *Event) { e.Local, e.Err = local, err })
}

// EndDetail is End with what came of it, as a handshake tells what was agreed on: "TLS 1.3, TLS_AES_128_GCM_SHA256, alpn
// h2". It takes the place of the Detail that the start had; "" leaves that one.
func (s Span) EndDetail(local net.Addr, detail string, err error) {
	s.finish(func(e *Event) {
		e.Local, e.Err = local, err
		if detail != "" {
			e.Detail = detail
		}
	})
}

// EndResolve tells how a look-up ended.
func (s Span) EndResolve(addrs []netip.Addr, err error) {
	s.finish(func(e *Event) { e.Addrs, e.Err = addrs, err })
}

func (s Span) finish(set func(*Event)) {
	if s.t == nil {
		return
	}
	e := s.start
	e.Kind, e.Time = s.done, time.Now()
	e.Elapsed = e.Time.Sub(s.start.Time)
	set(&e)
	s.t(e)
}
