package endpoint_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/trace"
)

// byTurns runs two ways to do the same one after the other, b.N times each, and reports the medians and their ratio; so
// both meet the same machine. Each returns how long it took.
func byTurns(b *testing.B, ours, theirs func() time.Duration) {
	b.Helper()
	var took [2][]time.Duration
	for i := range b.N {
		for j := range 2 {
			side := (i + j) % 2
			took[side] = append(took[side], []func() time.Duration{ours, theirs}[side]())
		}
	}
	var medians [2]float64
	for side := range took {
		slices.Sort(took[side])
		medians[side] = float64(took[side][len(took[side])/2])
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(medians[0], "ours-ns")
	b.ReportMetric(medians[1], "theirs-ns")
	b.ReportMetric(medians[0]/medians[1], "ratio")
}

// dialing returns a function that dials once, throws the connection away, and says how long the dial took.
func dialing(b *testing.B, ln net.Listener, dial func(context.Context) (net.Conn, error), ctx context.Context) func() time.Duration {
	return func() time.Duration {
		begun := time.Now()
		c, err := dial(ctx)
		took := time.Since(begun)
		if err != nil {
			b.Fatal(err)
		}
		_ = c.(*net.TCPConn).SetLinger(0) // or the ports would run out
		_ = c.Close()
		if accepted, err := ln.Accept(); err == nil {
			_ = accepted.Close()
		}
		return took
	}
}

// A compiled client against net.Dialer with the same timeout, and a traced one against one that nobody watches.
func BenchmarkDial(b *testing.B) {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).Port
	client, err := endpoint.NewClient(fmt.Sprintf("tcp6:host=[::1]:port=%d", port))
	if err != nil {
		b.Fatal(err)
	}
	dialer := net.Dialer{Timeout: 30 * time.Second}
	plain := func(ctx context.Context) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp6", ln.Addr().String())
	}
	ctx := context.Background()
	traced := trace.With(ctx, func(trace.Event) {})

	b.Run("compiled", func(b *testing.B) { byTurns(b, dialing(b, ln, client.Dial, ctx), dialing(b, ln, plain, ctx)) })
	b.Run("traced", func(b *testing.B) { byTurns(b, dialing(b, ln, client.Dial, traced), dialing(b, ln, client.Dial, ctx)) })
}

func BenchmarkListen(b *testing.B) {
	server, err := endpoint.NewServer("tcp6:port=0:interface=[::1]")
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	var config net.ListenConfig
	listening := func(listen func() (net.Listener, error)) func() time.Duration {
		return func() time.Duration {
			begun := time.Now()
			ln, err := listen()
			took := time.Since(begun)
			if err != nil {
				b.Fatal(err)
			}
			ln.Close()
			return took
		}
	}
	byTurns(b,
		listening(func() (net.Listener, error) { return server.Listen(ctx) }),
		listening(func() (net.Listener, error) { return config.Listen(ctx, "tcp6", "[::1]:0") }))
}

func TestACompiledClientAllocatesLittleMoreThanPackageNet(t *testing.T) {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := endpoint.NewClient(fmt.Sprintf("tcp6:host=[::1]:port=%d", ln.Addr().(*net.TCPAddr).Port))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	dialer := net.Dialer{Timeout: 30 * time.Second}
	allocs := func(dial func() (net.Conn, error)) float64 {
		return testing.AllocsPerRun(50, func() {
			if c, err := dial(); err == nil {
				c.Close()
			}
			if c, err := ln.Accept(); err == nil {
				c.Close()
			}
		})
	}
	ours := allocs(func() (net.Conn, error) { return client.Dial(ctx) })
	theirs := allocs(func() (net.Conn, error) { return dialer.DialContext(ctx, "tcp6", ln.Addr().String()) })
	if ours > theirs+2 {
		t.Errorf("a dial allocates %v times, with package net %v times", ours, theirs)
	}
}
