package peer

import (
	"context"
	"net"
	"sync"
)

// A kept is a listener that another process accepts from. Connections are accepted on a goroutine of its own, at most
// one ahead of those who ask, since Accept knows no context.
type kept struct {
	ln       net.Listener
	accepted chan acceptance
	closing  sync.Once
	closed   chan struct{}
}

type acceptance struct {
	conn net.Conn
	err  error
}

func keep(ln net.Listener) *kept {
	k := &kept{ln: ln, accepted: make(chan acceptance), closed: make(chan struct{})}
	go k.run()
	return k
}

// run ends when the listener is closed: a failed accept waits for somebody to take the error, and is tried again.
func (k *kept) run() {
	for {
		conn, err := k.ln.Accept()
		select {
		case k.accepted <- acceptance{conn, err}:
		case <-k.closed:
			if err == nil {
				_ = conn.Close()
			}
			return
		}
	}
}

func (k *kept) accept(ctx context.Context) (net.Conn, error) {
	select {
	case a := <-k.accepted:
		return a.conn, a.err
	case <-k.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (k *kept) close() error {
	err := net.ErrClosed
	k.closing.Do(func() {
		close(k.closed)
		err = k.ln.Close()
	})
	return err
}
