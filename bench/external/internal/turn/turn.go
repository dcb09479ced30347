// Package turn is a wrapper that transforms bytes, as cheaply as one can: what is measured is the way that they take.
package turn

import (
	"context"
	"net"
	"sync"

	"github.com/epctl/endpoint/registry"
)

// Plugin combines each byte with a mask.
var Plugin = registry.Plugin{
	Name: "turn", Doc: "Turns each byte around.",
	Client: registry.For(func(o client) (registry.Client, error) { return o, nil }),
	Server: registry.For(func(o server) (registry.Server, error) { return o, nil }),
}

type client struct {
	Endpoint registry.Client `ep:"endpoint,required,rest" doc:"what it goes through"`
}

func (c client) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := c.Endpoint.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return Conn(conn), nil
}

type server struct {
	Endpoint registry.Server `ep:"endpoint,required,rest" doc:"what it goes through"`
}

func (s server) Listen(ctx context.Context) (net.Listener, error) {
	ln, err := s.Endpoint.Listen(ctx)
	if err != nil {
		return nil, err
	}
	return listener{ln}, nil
}

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Conn(conn), nil
}

// Conn turns what goes over conn.
func Conn(conn net.Conn) net.Conn { return &turned{Conn: conn} }

type turned struct {
	net.Conn
	mu  sync.Mutex
	buf []byte // of Write, which must leave what it gets alone
}

func (c *turned) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	turn(b[:n], b[:n])
	return n, err
}

func (c *turned) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cap(c.buf) < len(b) {
		c.buf = make([]byte, len(b))
	}
	turned := c.buf[:len(b)]
	turn(turned, b)
	return c.Conn.Write(turned)
}

func turn(to, from []byte) {
	for i, b := range from {
		to[i] = b ^ 0xff
	}
}
