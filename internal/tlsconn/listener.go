package tlsconn

import (
	"net"
	"sync"
	"syscall"
	"time"
)

// A listener is one of package handshakes that has things going on until it is closed.
type listener struct {
	handshaking
	stops []func()
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

func watching(ln net.Listener, stops ...func()) net.Listener {
	l := &listener{ln.(handshaking), stops}
	if socket, ok := ln.(syscall.Conn); ok {
		return socketListener{l, socket}
	}
	return l
}

// Close closes the listener and all connections that are not handed out.
func (l *listener) Close() error {
	for _, stop := range l.stops {
		stop()
	}
	return l.handshaking.Close()
}

const day = 24 * time.Hour

// daily calls f each day, from a goroutine of its own, until stop is called. Stop waits for a call that is under way.
func daily(f func()) (stop func()) {
	quit := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(day)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				f()
			case <-quit:
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		close(quit)
		running.Wait()
	})
}
