package handshakes_test

import (
	"context"
	"net"
	"testing"

	"github.com/epctl/endpoint/internal/handshakes"
)

// Accepts through the listener against accepts of the one below, in one run: compare ns/op of the two.
func BenchmarkAccept(b *testing.B) {
	b.Run("bare", func(b *testing.B) { benchmarkAccept(b, func(ln net.Listener) net.Listener { return ln }) })
	b.Run("handshakes", func(b *testing.B) {
		benchmarkAccept(b, func(ln net.Listener) net.Listener {
			return handshakes.Listen(b.Context(), ln, handshakes.Config{Upgrade: noUpgrade})
		})
	})
}

func noUpgrade(_ context.Context, c net.Conn) (net.Conn, error) { return c, nil }

func benchmarkAccept(b *testing.B, over func(net.Listener) net.Listener) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ln := over(inner)
	defer func() { _ = ln.Close() }()
	go dialForever(b.Context(), ln.Addr())
	b.ReportAllocs()
	for b.Loop() {
		c, err := ln.Accept()
		if err != nil {
			b.Fatal(err)
		}
		_ = c.Close()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepts/s")
}

// dialForever keeps the listen queue filled. Its connections are reset, so that no port stays behind in TIME-WAIT.
func dialForever(ctx context.Context, to net.Addr) {
	for ctx.Err() == nil {
		c, err := net.Dial("tcp", to.String())
		if err != nil {
			return
		}
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
}
