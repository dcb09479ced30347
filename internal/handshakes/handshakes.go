// Package handshakes makes a listener whose Accept gives only connections on which a handshake has succeeded. The
// handshakes run beside the accept loop and in bounded number, so that a silent or slow peer delays no other.
package handshakes

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/epctl/endpoint/internal/acceptloop"
)

// Defaults of a [Config].
const (
	DefaultMax     = 1024
	DefaultTimeout = 10 * time.Second
)

// grace is how long a handshake may take before it can lose its place to a newer connection.
const grace = 2 * time.Second

// ErrGivenUp is why a handshake ended that was under way longest when a newer connection needed its place.
var ErrGivenUp = errors.New("handshake given up for a newer connection")

// A Config says what a listener does with the connections that it accepts.
type Config struct {
	// Upgrade makes a connection ready. It owns conn and closes it where it fails; the listener closes it as well. What
	// it returns must not depend on ctx, which ends when Upgrade returns.
	//
	// Ctx has the deadline, and is cancelled when the handshake is given up or the listener ends. The listener closes
	// conn then, so that an Upgrade that only reads and writes need not look at ctx. It sets no deadlines on conn.
	// An Upgrade must not close the listener, which waits for it.
	Upgrade func(ctx context.Context, conn net.Conn) (net.Conn, error)

	// Max is how many handshakes may be under way at once, finished connections that nobody has accepted yet included.
	// One more connection may be accepted and wait for its turn. 0 is DefaultMax.
	Max int

	// Timeout bounds one handshake. 0 is DefaultTimeout.
	Timeout time.Duration

	// Report, if not nil, is called with the first failed accept and the first failed handshake, and then at most every
	// 10 s with each. It runs on a goroutine of its own and delays nothing but Close, which waits for it: it must not
	// close the listener. What ends because the listener does is not reported.
	Report func(Failure)
}

// A Failure is one or more failed accepts or handshakes of a listener that goes on.
type Failure struct {
	Op     string        // "accept" or "handshake"
	Remote net.Addr      // the peer of the latest failed handshake; nil for an accept
	Err    error         // the latest error; for a panic a *PanicError
	Count  int           // failures of this Op since the last report, this one included
	Delay  time.Duration // how long the loop waits before it accepts again; 0 for a handshake
}

// A PanicError is the error of a handshake whose Upgrade panicked.
type PanicError struct {
	Value any    // what the panic was called with
	Stack []byte // where, as from debug.Stack
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic in the handshake: %v", e.Value) }

// Listen returns a listener over ln, which it owns from now on. The values of ctx, a tracer for one, reach Upgrade; its
// cancellation does not.
//
// Below Max nobody waits. At Max the handshake that has been under way longest, if that is 2 s or more, is given up for
// the next connection. Otherwise that connection waits until a place is free or a handshake becomes that old, and those
// behind it wait in the system's queue: a crowd of honest peers is served in order. Finished connections are
// never given up; they are accepted in the order in which they were finished.
//
// When ln ends by itself, the handshakes under way end too, and Accept hands out what is finished and then returns ln's
// error. Failed accepts that ln can come back from are survived as package acceptloop does.
//
// Close makes Accept fail with net.ErrClosed, closes ln and all connections that were not accepted (without a farewell
// such as TLS's close_notify), and returns when no goroutine is left. It may be called again.
//
// Beyond net.Listener, what is returned has
//
//	SetDeadline(time.Time) error            // of Accept, as a *net.TCPListener's
//	NetListener() net.Listener              // ln
//	SyscallConn() (syscall.RawConn, error)  // only where ln has it
//
// It has no File, as a *net.TCPListener has: whoever accepts from that file gets connections without a handshake. The
// listener under NetListener still has it.
func Listen(ctx context.Context, ln net.Listener, c Config) net.Listener {
	if c.Max <= 0 {
		c.Max = DefaultMax
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	l := &listener{
		config:   c,
		inner:    ln,
		values:   context.WithoutCancel(ctx),
		late:     fmt.Errorf("handshake not finished within %v: %w", c.Timeout, context.DeadlineExceeded),
		places:   make(chan struct{}, c.Max),
		underWay: list.New(),
		stopped:  make(chan struct{}),
	}
	l.ctx, l.cancel = context.WithCancel(l.values)
	l.watch, l.alarm = stoppedTimer(l.endLate), stoppedTimer(l.wake)
	l.ready = sync.NewCond(&l.mu)
	l.closeInner = sync.OnceValue(ln.Close)
	l.shut = sync.OnceValue(l.close)
	l.accepts = reporter{to: c.Report, running: &l.running}
	l.failures = reporter{to: c.Report, running: &l.running, pause: reportEvery}
	go l.serve()
	if raw, ok := ln.(syscall.Conn); ok {
		return rawListener{l, raw}
	}
	return l
}

func stoppedTimer(f func()) *time.Timer {
	t := time.AfterFunc(time.Hour, f)
	t.Stop()
	return t
}

// A rawListener is a listener over one that has SyscallConn.
type rawListener struct {
	*listener
	syscall.Conn
}

// A closeOnce is what the accept loop gets: it closes the listener, as Close does.
type closeOnce struct {
	net.Listener
	close func() error
}

func (c closeOnce) Close() error { return c.close() }

// serve is the goroutine of the loop. It ends last.
func (l *listener) serve() {
	defer close(l.stopped)
	err := acceptloop.Run(l.ctx, closeOnce{l.inner, l.closeInner}, l.admit, l.acceptFailed)
	l.cancel()
	l.endAll(err)
	l.running.Wait()
	l.end(err)
}

func (l *listener) acceptFailed(f acceptloop.Failure) {
	l.accepts.add(Failure{Op: "accept", Err: f.Err, Count: f.Count, Delay: f.Delay})
}
