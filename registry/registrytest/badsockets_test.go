package registrytest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/epctl/endpoint/registry/registrytest"
)

func badContexts() []badPlugin {
	return []badPlugin{
		{name: "deaf dial", check: "context", want: "works with a context that is cancelled", breakIt: func(l *loop) {
			l.dial = func(context.Context, string) (net.Conn, error) {
				c, _ := net.Pipe()
				return c, nil
			}
		}},
		{name: "dial hangs", check: "context", want: "has not returned after 2s", breakIt: func(l *loop) {
			l.dial = func(context.Context, string) (net.Conn, error) { select {} }
		}},
		{name: "handshake hangs", check: "context", want: "while its peer is silent has not returned", breakIt: func(l *loop) {
			l.dial = func(ctx context.Context, address string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
				if err != nil {
					return nil, err
				}
				_, err = c.Read(make([]byte, 1))
				return c, err
			}
		}},
		{name: "listen hangs", check: "context", want: "has not returned after 2s", breakIt: func(l *loop) {
			l.listenFirst = func(context.Context) error { select {} }
		}},
		{name: "connection ends with the dial", check: "conn", want: "TestBadPlugin/conn", breakIt: func(l *loop) {
			l.dial = func(ctx context.Context, address string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
				if err == nil {
					context.AfterFunc(ctx, func() { _ = c.Close() })
				}
				return c, err
			}
		}},
	}
}

// A brokenListener breaks one method.
type brokenListener struct {
	net.Listener
	accept func() (net.Conn, error)
	close  func() error
	addr   func() net.Addr
}

func (b brokenListener) Accept() (net.Conn, error) {
	if b.accept != nil {
		return b.accept()
	}
	return b.Listener.Accept()
}

func (b brokenListener) Close() error {
	if b.close != nil {
		return b.close()
	}
	return b.Listener.Close()
}

func (b brokenListener) Addr() net.Addr {
	if b.addr != nil {
		return b.addr()
	}
	return b.Listener.Addr()
}

func badCloses() []badPlugin {
	listened := func(f func(net.Listener) brokenListener) func(*loop) {
		return func(l *loop) { l.listened = func(ln net.Listener) net.Listener { return f(ln) } }
	}
	return []badPlugin{
		{name: "accept goes on", check: "close", want: "after Close has not returned", breakIt: listened(func(ln net.Listener) brokenListener {
			return brokenListener{Listener: ln, accept: func() (net.Conn, error) { select {} }}
		})},
		{name: "strange error", check: "close", want: "not with net.ErrClosed", breakIt: listened(func(ln net.Listener) brokenListener {
			return brokenListener{Listener: ln, accept: func() (net.Conn, error) {
				_, err := ln.Accept()
				return nil, fmt.Errorf("no more: %v", err)
			}}
		})},
		{name: "second close", check: "close", want: "the second Close", breakIt: listened(func(ln net.Listener) brokenListener {
			done := make(chan struct{})
			return brokenListener{Listener: ln, close: func() error { close(done); return ln.Close() }}
		})},
		{name: "close hangs", check: "close", want: "Close of loop:port=0:interface=127.0.0.1 has not returned", breakIt: listened(func(ln net.Listener) brokenListener {
			return brokenListener{Listener: ln, close: func() error { select {} }}
		})},
		{name: "close fails", check: "close", want: "fails: oh", breakIt: listened(func(ln net.Listener) brokenListener {
			return brokenListener{Listener: ln, close: func() error { _ = ln.Close(); return errors.New("oh") }}
		})},
		{name: "no address", check: "close", want: "has no address", breakIt: listened(func(ln net.Listener) brokenListener {
			return brokenListener{Listener: ln, addr: func() net.Addr { return nil }}
		})},
		{name: "listens once", check: "close", want: "Listen of", breakIt: func(l *loop) {
			var used atomic.Bool
			l.listenFirst = func(context.Context) error {
				if used.Swap(true) {
					return errors.New("used up")
				}
				return nil
			}
		}},
	}
}

// A lateConn does not tell that its error is a timeout.
type lateConn struct{ net.Conn }

func (c lateConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errors.New("late")
	}
	return n, err
}

// An emptyWrapper wraps nothing, and an opaque one forwards nothing.
type (
	emptyWrapper  struct{ net.Conn }
	opaqueWrapper struct{ net.Conn }
	// A fullCloser closes both directions.
	fullCloser struct{ wrapped }
)

func (emptyWrapper) NetConn() net.Conn    { return nil }
func (w opaqueWrapper) NetConn() net.Conn { return w.Conn }
func (f fullCloser) CloseWrite() error    { return f.Close() }

func badConns() []badPlugin {
	dials := func(wrap func(net.Conn) net.Conn) func(*loop) {
		return func(l *loop) {
			dial := l.dial
			l.dial = func(ctx context.Context, address string) (net.Conn, error) {
				c, err := dial(ctx, address)
				if err != nil {
					return nil, err
				}
				return wrap(c), nil
			}
		}
	}
	return []badPlugin{
		{name: "client's timeouts", check: "conn", want: "/client/", breakIt: dials(func(c net.Conn) net.Conn { return lateConn{c} })},
		{name: "server's timeouts", check: "conn", want: "/server/", breakIt: func(l *loop) {
			l.accepted = func(c net.Conn) net.Conn { return lateConn{c} }
		}},
		{name: "wraps nothing", check: "conn", want: "NetConn returns nil", breakIt: dials(func(c net.Conn) net.Conn { return emptyWrapper{c} })},
		{name: "no CloseWrite", check: "conn", want: "has no CloseWrite", breakIt: dials(func(c net.Conn) net.Conn { return opaqueWrapper{c} })},
		{name: "closes all", check: "conn", want: "after CloseWrite, the client reads", breakIt: dials(func(c net.Conn) net.Conn { return fullCloser{wrapped{c}} })},
		{name: "closes all, of servers that are tried less", check: "conn", want: "after CloseWrite, the client reads",
			options: []registrytest.Option{registrytest.Servers(0)}, breakIt: dials(func(c net.Conn) net.Conn { return fullCloser{wrapped{c}} })},
		{name: "dials one at a time", check: "conn", want: "of several dials at once, one fails", breakIt: func(l *loop) {
			var busy atomic.Bool
			dial := l.dial
			l.dial = func(ctx context.Context, address string) (net.Conn, error) {
				if busy.Swap(true) {
					return nil, errors.New("busy")
				}
				c, err := dial(ctx, address)
				time.Sleep(10 * time.Millisecond) // lets the others come
				busy.Store(false)
				return c, err
			}
		}},
		{name: "no client for the server", check: "conn", want: "use ClientFor",
			options: []registrytest.Option{registrytest.ClientFor(func(string, net.Addr) string { return "" })}},
		{name: "wrong client for the server", check: "conn", want: "is not right",
			options: []registrytest.Option{registrytest.ClientFor(func(string, net.Addr) string { return "loop:1:2:3:4:5" })}},
		{name: "no server for the client", check: "conn", want: "use Pipe", examples: []string{"loop # client"},
			breakIt: func(l *loop) { l.plugin.Server = nil; declares()(l) }},
	}
}

// A brokenSocket breaks one method.
type brokenSocket struct {
	net.PacketConn
	readFrom func([]byte) (int, net.Addr, error)
	deadline func(time.Time) error
}

func (b brokenSocket) ReadFrom(p []byte) (int, net.Addr, error) {
	if b.readFrom != nil {
		return b.readFrom(p)
	}
	return b.PacketConn.ReadFrom(p)
}

func (b brokenSocket) SetReadDeadline(t time.Time) error {
	if b.deadline != nil {
		return b.deadline(t)
	}
	return b.PacketConn.SetReadDeadline(t)
}

func badPackets() []badPlugin {
	bound := func(f func(net.PacketConn) brokenSocket) func(*loop) {
		return func(l *loop) { l.bound = func(c net.PacketConn) net.PacketConn { return f(c) } }
	}
	return []badPlugin{
		{name: "deaf socket", check: "packet", want: "has not returned", breakIt: bound(func(c net.PacketConn) brokenSocket {
			return brokenSocket{PacketConn: c, deadline: func(time.Time) error { return nil }}
		})},
		{name: "other timeout", check: "packet", want: "not os.ErrDeadlineExceeded", breakIt: bound(func(c net.PacketConn) brokenSocket {
			return brokenSocket{PacketConn: c, readFrom: func(p []byte) (int, net.Addr, error) {
				n, from, err := c.ReadFrom(p)
				if err != nil {
					err = errors.New("late")
				}
				return n, from, err
			}}
		})},
		{name: "cut datagrams", check: "packet", want: "is not answered", breakIt: bound(func(c net.PacketConn) brokenSocket {
			return brokenSocket{PacketConn: c, readFrom: func(p []byte) (int, net.Addr, error) {
				n, from, err := c.ReadFrom(p)
				return min(n, 1), from, err
			}}
		})},
		{name: "socket goes on", check: "close", want: "ReadFrom of loop:port=0:interface=127.0.0.1 after Close", breakIt: bound(func(c net.PacketConn) brokenSocket {
			return brokenSocket{PacketConn: c, readFrom: func([]byte) (int, net.Addr, error) { select {} }}
		})},
		{name: "no socket", check: "packet", want: "DialPacket of", breakIt: func(l *loop) {
			l.dialPacket = func(context.Context, string) (net.Conn, error) { return nil, errors.New("no") }
		}},
	}
}

func badLeaks() []badPlugin {
	return []badPlugin{
		{name: "goroutine", check: "(close|leaks)", want: "found unexpected goroutines", breakIt: func(l *loop) {
			l.listened = func(ln net.Listener) net.Listener {
				go func() { select {} }()
				return ln
			}
		}},
		{name: "descriptor", check: "(close|leaks)", want: "descriptors are left open", breakIt: func(l *loop) {
			l.listenFirst = func(context.Context) error {
				f, err := os.Open("/dev/null")
				keep(f)
				return err
			}
		}},
	}
}
