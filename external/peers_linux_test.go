package external_test

import (
	"io"
	"net"
	"testing"
)

// echo is a server on loopback that gives back what it gets, and closes when its peer does.
func echo(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return ln
}

// clientOf describes the client of a listener.
func clientOf(plugin string, ln net.Listener) string {
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	return plugin + ":" + host + ":" + port
}
