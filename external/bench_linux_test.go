package external_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/epctl/endpoint/registry"
)

// Connecting, with the first byte there and back: in the program and through a plugin's.
func BenchmarkConnect(b *testing.B) {
	ln := echo(b)
	forEach(b, func(b *testing.B, r *registry.Registry, prefix string) {
		c, err := r.NewClient(prefix + clientOf("tcp4", ln))
		check(b, err)
		buf := make([]byte, 1)
		for b.Loop() {
			conn, err := c.Dial(context.Background())
			check(b, err)
			_, err = conn.Write(buf)
			check(b, err)
			_, err = conn.Read(buf)
			check(b, err)
			conn.Close()
		}
	})
}

func BenchmarkAccept(b *testing.B) {
	forEach(b, func(b *testing.B, r *registry.Registry, prefix string) {
		s, err := r.NewServer(prefix + "tcp4:0:interface=127.0.0.1")
		check(b, err)
		ln, err := s.Listen(context.Background())
		check(b, err)
		defer ln.Close()
		for b.Loop() {
			peer, err := net.Dial("tcp4", ln.Addr().String())
			check(b, err)
			conn, err := ln.Accept()
			check(b, err)
			peer.Close()
			conn.Close()
		}
	})
}

func BenchmarkStream(b *testing.B) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	check(b, err)
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, struct{ io.Reader }{c}) }()
		}
	}()
	forEach(b, func(b *testing.B, r *registry.Registry, prefix string) {
		c, err := r.NewClient(prefix + clientOf("tcp4", ln))
		check(b, err)
		conn, err := c.Dial(context.Background())
		check(b, err)
		defer conn.Close()
		buf := make([]byte, 128<<10)
		b.SetBytes(int64(len(buf)))
		for b.Loop() {
			_, err := conn.Write(buf)
			check(b, err)
		}
	})
}

// forEach runs a benchmark in one process and through a plugin's, with a connection that is a socket and with one that
// is transformed.
func forEach(b *testing.B, run func(b *testing.B, r *registry.Registry, prefix string)) {
	inside, err := registry.New(programs()["many"]...)
	check(b, err)
	for _, prefix := range []string{"", "xor:"} {
		b.Run("inside/"+prefix, func(b *testing.B) { run(b, inside, prefix) })
		b.Run("outside/"+prefix, func(b *testing.B) { run(b, registryOf(b, open(b, "many")), prefix) })
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		open(b, "tcp").Close()
	}
}
