package trace_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/trace"
)

func record(ctx context.Context, events *[]trace.Event) context.Context {
	return trace.With(ctx, func(e trace.Event) { *events = append(*events, e) })
}

func TestASpanTellsItsStartAndItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []trace.Event
		remote, local := &net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2}
		failure := errors.New("refused")

		span := trace.StartAttempt(record(t.Context(), &events), "tcp6", "tcp6", remote)
		time.Sleep(3 * time.Second)
		span.End(local, failure)

		start, done := events[0], events[1]
		if start.Kind != trace.AttemptStart || start.Layer != "tcp6" || start.Network != "tcp6" || start.Remote != remote {
			t.Errorf("the start is %+v", start)
		}
		if done.Kind != trace.AttemptDone || done.Remote != remote || done.Local != local || done.Err != failure {
			t.Errorf("the end is %+v", done)
		}
		if done.Elapsed != 3*time.Second || !done.Time.Equal(start.Time.Add(3*time.Second)) {
			t.Errorf("the end is %v after the start, at %v and %v", done.Elapsed, start.Time, done.Time)
		}
		if start.ID == 0 || start.ID != done.ID {
			t.Errorf("the ids are %d and %d", start.ID, done.ID)
		}
	})
}

func TestAHandshakeTellsWhatWasAgreedOn(t *testing.T) {
	for _, tt := range []struct{ detail, want string }{{"TLS 1.3, alpn h2", "TLS 1.3, alpn h2"}, {"", "TLS"}} {
		var events []trace.Event
		local, failure := &net.TCPAddr{Port: 2}, errors.New("refused")
		trace.StartHandshake(record(t.Context(), &events), "tls", "TLS", nil).EndDetail(local, tt.detail, failure)
		start, done := events[0], events[1]
		if start.Detail != "TLS" || done.Kind != trace.HandshakeDone || done.Detail != tt.want || done.Local != local || done.Err != failure {
			t.Errorf("%q: %+v, %+v", tt.detail, start, done)
		}
	}
}

func TestKindsOfSpans(t *testing.T) {
	var events []trace.Event
	ctx := record(context.Background(), &events)
	addrs := []netip.Addr{netip.IPv6Loopback()}
	trace.StartResolve(ctx, "hostname", "ip6", "db.example").EndResolve(addrs, nil)
	trace.StartHandshake(ctx, "tls", "ClientHello", nil).End(nil, nil)

	want := []trace.Kind{trace.ResolveStart, trace.ResolveDone, trace.HandshakeStart, trace.HandshakeDone}
	for i, kind := range want {
		if events[i].Kind != kind {
			t.Errorf("event %d is %s, want %s", i, events[i].Kind, kind)
		}
	}
	if e := events[1]; e.Host != "db.example" || e.Network != "ip6" || len(e.Addrs) != 1 {
		t.Errorf("the look-up ends with %+v", e)
	}
	if events[0].ID == events[2].ID {
		t.Error("two spans have one id")
	}
}

func TestATracerJoinsTheOneThatIsThere(t *testing.T) {
	var order []string
	ctx := trace.With(context.Background(), func(trace.Event) { order = append(order, "outer") })
	ctx = trace.With(ctx, func(trace.Event) { order = append(order, "inner") })
	if trace.With(ctx, nil) != ctx {
		t.Error("no tracer makes a new context")
	}
	trace.From(ctx).Emit(trace.Event{Kind: trace.Warning})
	if len(order) != 2 || order[0] != "outer" || order[1] != "inner" {
		t.Errorf("the event went to %v", order)
	}
}

func TestEmitFillsTheTime(t *testing.T) {
	var events []trace.Event
	tracer := trace.From(record(context.Background(), &events))
	at := time.Unix(1, 0)
	tracer.Emit(trace.Event{Time: at})
	tracer.Emit(trace.Event{})
	if !events[0].Time.Equal(at) || events[1].Time.IsZero() {
		t.Errorf("the times are %v and %v", events[0].Time, events[1].Time)
	}
}

func TestNobodyIsTold(t *testing.T) {
	ctx := context.Background()
	trace.From(ctx).Emit(trace.Event{})
	span := trace.StartAttempt(ctx, "tcp6", "tcp6", nil)
	if span.Active() {
		t.Error("a span is active, and nobody listens")
	}
	span.End(nil, nil)
	span.EndResolve(nil, nil)
	span.EndDetail(nil, "nothing", nil)
	if n := testing.AllocsPerRun(100, func() { trace.StartAttempt(ctx, "tcp6", "tcp6", nil).End(nil, nil) }); n != 0 {
		t.Errorf("%v allocations for nobody", n)
	}
}

func BenchmarkAttemptForNobody(b *testing.B) {
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		trace.StartAttempt(ctx, "tcp6", "tcp6", nil).End(nil, nil)
	}
}

func BenchmarkAttemptForSomebody(b *testing.B) {
	ctx := trace.With(context.Background(), func(trace.Event) {})
	b.ReportAllocs()
	for b.Loop() {
		trace.StartAttempt(ctx, "tcp6", "tcp6", nil).End(nil, nil)
	}
}
