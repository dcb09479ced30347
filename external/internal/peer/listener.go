package peer

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/wire"
)

const closeTimeout = 5 * time.Second

// A listener is one that stays in the other process: connections are accepted by calls.
type listener struct {
	caller Caller
	ticket *fdpass.Ticket // of the call that has opened it, which is open as long as it is
	owner  any
	addr   net.Addr
	ctx    context.Context // done when closed
	cancel context.CancelFunc
	close  sync.Once
}

func newListener(o opened) (net.Listener, error) {
	addr, err := o.socket.Local.Addr()
	if err == nil && addr == nil {
		err = errors.New("the plugin tells no address of its listener")
	}
	if err != nil {
		return nil, err
	}
	l := &listener{caller: o.caller, ticket: o.ticket, owner: o.owner, addr: addr}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.accept()
	switch {
	case err == nil:
		return conn, nil
	case l.ctx.Err() != nil:
		err = net.ErrClosed
	case errors.Is(err, ErrGone):
		err = errClosedWithIt
	}
	var of *net.OpError
	if errors.As(err, &of) {
		return nil, err
	}
	return nil, &net.OpError{Op: "accept", Net: l.addr.Network(), Addr: l.addr, Err: err}
}

func (l *listener) accept() (net.Conn, error) {
	if l.ctx.Err() != nil {
		return nil, net.ErrClosed
	}
	result, ticket, err := do(l.ctx, l.caller, &wire.Call{Operation: wire.Call_ACCEPT, Target: l.ticket.ID()})
	if err != nil {
		return nil, err
	}
	conn, err := takeStream(l.ctx, opened{l.caller, l.owner, ticket, result.GetSocket()})
	if err != nil {
		ticket.Close()
	}
	return conn, err
}

// Close closes the listener; it is closed here also where the other process does not answer.
func (l *listener) Close() error {
	err := net.ErrClosed
	l.close.Do(func() {
		l.cancel()
		err = closeRemote(l.caller, l.ticket.ID())
		l.ticket.Close()
	})
	if err == nil || errors.Is(err, ErrGone) {
		return nil
	}
	return &net.OpError{Op: "close", Net: l.addr.Network(), Addr: l.addr, Err: err}
}

func closeRemote(caller Caller, target uint64) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_, ticket, err := do(ctx, caller, &wire.Call{Operation: wire.Call_CLOSE, Target: target})
	if err == nil {
		ticket.Close()
	}
	return err
}
