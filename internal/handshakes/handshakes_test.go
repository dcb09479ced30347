package handshakes_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/handshakes"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A peers is a listener whose connections are pipes, so that it lives in a bubble.
type peers struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPeers() *peers { return &peers{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *peers) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, &net.OpError{Op: "accept", Net: "pipe", Err: net.ErrClosed}
	}
}

func (p *peers) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *peers) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv6loopback, Port: 1} }

// A password is the upgrade of these tests: one byte, "+" lets in.
func password(_ context.Context, c net.Conn) (net.Conn, error) {
	var b [1]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return nil, err
	}
	if b[0] != '+' {
		return nil, errWrong
	}
	return c, nil
}

var errWrong = errors.New("wrong password")

func connect(t *testing.T, p *peers) net.Conn {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
	case <-p.closed:
		t.Error("the listener is closed")
	}
	t.Cleanup(func() { _ = ours.Close() })
	return ours
}

// LI-03
func TestASilentPeerDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeers()
		ln := handshakes.Listen(t.Context(), p, handshakes.Config{Upgrade: password})
		defer func() { _ = ln.Close() }()
		start := time.Now()
		connect(t, p)
		good := connect(t, p)
		_, _ = good.Write([]byte("+"))
		c, err := ln.Accept()
		if err != nil || time.Since(start) != 0 {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
		go func() { _, _ = good.Write([]byte("x")) }()
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Error(err)
		}
	})
}
