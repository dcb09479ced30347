package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/trace"
)

func sampleEvents(start time.Time) []trace.Event {
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	v6, v4 := &net.TCPAddr{IP: net.IPv6loopback, Port: 80}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
	refused := &net.OpError{Op: "dial", Net: "tcp6", Addr: v6, Err: errors.New("connect: connection refused")}
	return []trace.Event{
		{Kind: trace.Built, Time: at(0), Layers: []trace.Layer{{Text: "gate:{hostname:localhost:80}", Depth: 0}, {Text: "hostname:localhost:80", Depth: 1}}},
		{Kind: trace.ResolveStart, Time: at(1), ID: 71, Layer: "hostname", Network: "ip6", Host: "local\x1bhost"},
		{Kind: trace.ResolveDone, Time: at(3), ID: 71, Layer: "hostname", Addrs: []netip.Addr{netip.IPv6Loopback()}, Elapsed: 2 * time.Millisecond},
		{Kind: trace.AttemptStart, Time: at(3), ID: 72, Layer: "hostname", Remote: v6},
		{Kind: trace.AttemptStart, Time: at(253), ID: 80, Layer: "hostname", Remote: v4},
		{Kind: trace.AttemptDone, Time: at(1300), ID: 72, Err: refused, Elapsed: 1297 * time.Millisecond},
		{Kind: trace.AttemptDone, Time: at(1301), ID: 80, Local: v4, Elapsed: 1048 * time.Millisecond},
		{Kind: trace.HandshakeStart, Time: at(1301), ID: 81, Layer: "gate", Detail: "asking", Remote: v4},
		{Kind: trace.HandshakeDone, Time: at(1311), ID: 81, Elapsed: 10 * time.Millisecond},
		{Kind: trace.HandshakeStart, Time: at(1312), ID: 82, Layer: "tls", Detail: "TLS with localhost", Remote: v4},
		{Kind: trace.HandshakeDone, Time: at(1316), ID: 82, Detail: "TLS 1.3, TLS_AES_128_GCM_SHA256, ALPN h\x1b2", Elapsed: 4 * time.Millisecond},
		{Kind: trace.HandshakeStart, Time: at(1317), ID: 83, Layer: "starttls", Detail: "STARTTLS by smtp", Remote: v4},
		{Kind: trace.HandshakeDone, Time: at(1319), ID: 83, Detail: "STARTTLS by smtp", Elapsed: 2 * time.Millisecond},
		{Kind: trace.Listening, Time: at(1320), Layer: "tcp6", Local: v6, Err: errors.New("in use")},
		{Kind: trace.Changed, Time: at(70000), Layer: "alliface", Detail: "fe80::1%eth0 added"},
		{Kind: trace.Warning, Time: at(70001), Layer: "gate", Detail: "the password is " + strings.Repeat("very ", 12) + "short"},
	}
}

func TestTimeline(t *testing.T) {
	start := time.Now()
	o := &output{file: io.Discard, width: 80}
	line := newTimeline(o, start)
	var b strings.Builder
	for _, e := range sampleEvents(start) {
		b.WriteString(line.line(e))
	}
	want := `
  0.00 ms  built        gate:{hostname:localhost:80}
                          hostname:localhost:80
  1.00 ms  resolve 1    hostname: looking local\x1bhost up (ip6)
  3.00 ms  resolve 1    ::1 after 2.00 ms
  3.00 ms  attempt 2    hostname: connecting to [::1]:80
   253 ms  attempt 3    hostname: connecting to 127.0.0.1:80
   1.30 s  attempt 2    failed after 1.30 s: connect: connection refused
   1.30 s  attempt 3    connected from 127.0.0.1:80 after 1.05 s
   1.30 s  handshake 4  gate: asking with 127.0.0.1:80
   1.31 s  handshake 4  done after 10 ms
   1.31 s  handshake 5  tls: TLS with localhost at 127.0.0.1:80
   1.32 s  handshake 5  TLS 1.3, TLS_AES_128_GCM_SHA256, ALPN h\x1b2 after 4.00
                        ms
   1.32 s  handshake 6  starttls: STARTTLS by smtp with 127.0.0.1:80
   1.32 s  handshake 6  done after 2.00 ms
   1.32 s  listening    tcp6: on [::1]:80 failed: in use
  70.00 s  changed      alliface: fe80::1%eth0 added
  70.00 s  warning      gate: the password is very very very very very very very
                        very very very very very short
`
	if got := "\n" + b.String(); got != want {
		t.Errorf("got%s", got)
	}
	if lines := tooLong(b.String(), 80); lines != nil {
		t.Errorf("lines of more than 80 columns: %q", lines)
	}
}

// A terminal that is stopped must not stop a dial.
func TestTracerDoesNotWaitForItsOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		a := &app{err: &output{file: w, width: 80}}
		ctx, flush := a.traced(context.Background(), traceJSON)
		for range 1000 {
			trace.From(ctx).Emit(trace.Event{Kind: trace.Changed})
		}
		lines := make(chan int)
		go func() {
			all, _ := io.ReadAll(r)
			lines <- strings.Count(string(all), "\n")
		}()
		flush()
		_ = w.Close()
		if n := <-lines; n != 1000 {
			t.Errorf("%d lines", n)
		}
	})
}

func TestNoTracerWhereNobodyAsks(t *testing.T) {
	ctx, flush := new(app).traced(context.Background(), "")
	defer flush()
	if trace.From(ctx) != nil {
		t.Error("there is a tracer")
	}
}
