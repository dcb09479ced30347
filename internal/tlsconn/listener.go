package tlsconn

import (
	"net"
	"syscall"
	"time"
)

// A listener is one of package handshakes that stops to watch its certificates when it is closed.
type listener struct {
	handshaking
	stop func()
}

type handshaking interface {
	net.Listener
	NetListener() net.Listener
	SetDeadline(time.Time) error
}

// A socketListener is one over a socket.
type socketListener struct {
	*listener
	syscall.Conn
}

func watching(ln net.Listener, stop func()) net.Listener {
	l := &listener{ln.(handshaking), stop}
	if socket, ok := ln.(syscall.Conn); ok {
		return socketListener{l, socket}
	}
	return l
}

// Close closes the listener and all connections that are not handed out.
func (l *listener) Close() error {
	l.stop()
	return l.handshaking.Close()
}
