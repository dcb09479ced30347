package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/wire"
)

var errWrongResult = errors.New("the plugin answers with something else than what it was asked for")

// The descriptor was sent before the result, so it is here soon or not at all.
const descriptorTimeout = 5 * time.Second

// file waits for the descriptor of what was opened.
func (o opened) file(ctx context.Context) (*os.File, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, descriptorTimeout, errors.New("the plugin sent no descriptor"))
	defer cancel()
	f, err := o.ticket.File(ctx)
	if errors.Is(err, fdpass.ErrClosed) {
		err = ErrGone
	}
	return f, err
}

func takeStream(ctx context.Context, o opened) (net.Conn, error) {
	conn, err := o.conn(ctx)
	if err != nil {
		return nil, err
	}
	switch c := conn.(type) {
	case *net.TCPConn:
	case *net.UnixConn:
		if c.LocalAddr().Network() == "unixgram" {
			return nil, refuse(conn, "a stream")
		}
	default:
		return nil, refuse(conn, "a stream")
	}
	if o.socket.Transfer == wire.Socket_RELAY {
		return newStream(conn, o)
	}
	o.ticket.Close()
	return conn, nil
}

func takeDatagrams(ctx context.Context, o opened) (net.Conn, error) {
	conn, err := o.conn(ctx)
	if err != nil {
		return nil, err
	}
	switch c := conn.(type) {
	case *net.UDPConn, *net.IPConn:
	case *net.UnixConn:
		if c.LocalAddr().Network() == "unix" {
			return nil, refuse(conn, "datagrams")
		}
	default:
		return nil, refuse(conn, "datagrams")
	}
	if o.socket.Transfer == wire.Socket_RELAY {
		return newDatagrams(conn, o)
	}
	o.ticket.Close()
	return conn, nil
}

// conn is the connected socket that came.
func (o opened) conn(ctx context.Context) (net.Conn, error) {
	if t := o.socket.GetTransfer(); t != wire.Socket_SOCKET && t != wire.Socket_RELAY {
		return nil, errWrongResult
	}
	f, err := o.file(ctx)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("the plugin sent a descriptor that is of no use: %w", err)
	}
	if conn.RemoteAddr() == nil {
		return nil, refuse(conn, "connected")
	}
	return conn, nil
}

func refuse(conn net.Conn, wanted string) error {
	_ = conn.Close()
	return fmt.Errorf("the plugin sent a socket of the network %s that is not %s", conn.LocalAddr().Network(), wanted)
}

func takeListener(ctx context.Context, o opened) (net.Listener, error) {
	switch o.socket.GetTransfer() {
	case wire.Socket_KEPT:
		return newListener(o)
	case wire.Socket_SOCKET:
	default:
		return nil, errWrongResult
	}
	f, err := o.file(ctx)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !fdpass.Listening(f) {
		return nil, errors.New("the plugin sent a descriptor that does not listen")
	}
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(o.socket.Unlink)
	}
	o.ticket.Close()
	return ln, nil
}

func takePacketConn(ctx context.Context, o opened) (net.PacketConn, error) {
	t := o.socket.GetTransfer()
	if t != wire.Socket_SOCKET && t != wire.Socket_RELAY {
		return nil, errWrongResult
	}
	f, err := o.file(ctx)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if t == wire.Socket_RELAY {
		conn, err := net.FileConn(f)
		if err != nil {
			return nil, err
		}
		return newPackets(conn, o)
	}
	conn, err := net.FilePacketConn(f)
	if err != nil {
		return nil, fmt.Errorf("the plugin sent a descriptor that is of no use: %w", err)
	}
	o.ticket.Close()
	return conn, nil
}
