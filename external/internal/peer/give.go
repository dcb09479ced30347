package peer

import (
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/wire"
)

// A giver gives what a call has opened to the other process.
type giver struct {
	local *Local
	call  uint64
}

// A socket is a connection or a listener that is nothing but a descriptor.
type socket interface {
	syscall.Conn
	Close() error
}

// hand gives the socket itself away.
func (g giver) hand(s socket) (*wire.Socket, error) {
	err := g.local.line.Send(g.call, s)
	if closeErr := s.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	return &wire.Socket{Transfer: wire.Socket_SOCKET}, nil
}

// bare returns what conn is where it is a socket of package net and nothing more.
func bare(conn any) socket {
	switch c := conn.(type) {
	case *net.TCPConn:
		return c
	case *net.UDPConn:
		return c
	case *net.UnixConn:
		return c
	case *net.IPConn:
		return c
	}
	return nil
}

func (g giver) stream(conn net.Conn) (*wire.Socket, error) {
	if s := bare(conn); s != nil {
		return g.hand(s)
	}
	_, half := conn.(interface{ CloseWrite() error })
	r, err := g.relay(conn, fdpass.StreamPair)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	go r.stream(conn)
	return &wire.Socket{Transfer: wire.Socket_RELAY, HalfClose: half,
		Local: wire.AddressOf(conn.LocalAddr()), Remote: wire.AddressOf(conn.RemoteAddr())}, nil
}

func (g giver) listener(ln net.Listener) (*wire.Socket, error) {
	switch l := ln.(type) {
	case *net.TCPListener:
		return g.hand(l)
	case *net.UnixListener:
		name := l.Addr().String()
		l.SetUnlinkOnClose(false)
		s, err := g.hand(l)
		if err == nil {
			s.Unlink = name != "" && name[0] != '@'
		}
		return s, err
	}
	g.local.mu.Lock()
	defer g.local.mu.Unlock()
	g.local.listeners[g.call] = keep(ln)
	return &wire.Socket{Transfer: wire.Socket_KEPT, Local: wire.AddressOf(ln.Addr())}, nil
}

func (g giver) datagrams(conn net.Conn) (*wire.Socket, error) {
	if s := bare(conn); s != nil {
		return g.hand(s)
	}
	r, err := g.relay(conn, fdpass.DatagramPair)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	go r.datagrams(conn)
	return &wire.Socket{Transfer: wire.Socket_RELAY,
		Local: wire.AddressOf(conn.LocalAddr()), Remote: wire.AddressOf(conn.RemoteAddr())}, nil
}

func (g giver) packets(conn net.PacketConn) (*wire.Socket, error) {
	if s := bare(conn); s != nil {
		return g.hand(s)
	}
	r, err := g.relay(conn, fdpass.DatagramPair)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	go r.packets(conn)
	return &wire.Socket{Transfer: wire.Socket_RELAY, Local: wire.AddressOf(conn.LocalAddr())}, nil
}

// relay makes a pair, and sends one end of it.
func (g giver) relay(conn interface{ Close() error }, pair func() (a, b *os.File, err error)) (*relay, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	defer theirs.Close()
	c, err := net.FileConn(ours)
	if err != nil {
		return nil, err
	}
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.New("a pair of sockets is none")
	}
	r := &relay{pair: socket, conn: conn, line: g.local.line, call: g.call, closed: g.local.line.Relay(g.call)}
	if err := g.local.line.Send(g.call, theirs); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}
