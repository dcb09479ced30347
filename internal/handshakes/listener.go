package handshakes

import (
	"container/list"
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

type listener struct {
	config     Config
	inner      net.Listener
	closeInner func() error
	shut       func() error
	values     context.Context // parent of the handshakes' contexts
	ctx        context.Context // of the loop
	cancel     context.CancelFunc
	late       error          // the cause when the time of a handshake is up
	places     chan struct{}  // holds a value for each handshake and each finished connection
	running    sync.WaitGroup // all goroutines but the loop's
	stopped    chan struct{}  // closed when no goroutine is left
	accepts    reporter
	failures   reporter

	mu       sync.Mutex
	ready    *sync.Cond  // what Accept looks at has changed
	underWay *list.List  // of *handshake, the oldest first
	watch    *time.Timer // calls endLate
	watched  bool        // watch is set
	finished []*handshake
	closed   bool
	err      error // what Accept returns when nothing is finished, and will not be
	deadline time.Time
	alarm    *time.Timer // calls wake at the deadline
}

// Accept returns the next finished connection.
func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.closed:
			return nil, l.opError("accept", net.ErrClosed)
		case !l.deadline.IsZero() && time.Until(l.deadline) <= 0:
			return nil, l.opError("accept", os.ErrDeadlineExceeded)
		case len(l.finished) > 0:
			h := l.finished[0]
			l.finished[0] = nil
			l.finished = l.finished[1:]
			<-l.places
			return h.ready, nil
		case l.err != nil:
			return nil, l.err
		}
		l.ready.Wait()
	}
}

// end lets Accept return err when all that is finished has been accepted.
func (l *listener) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	l.ready.Broadcast()
}

// SetDeadline makes Accept fail with os.ErrDeadlineExceeded from t on, also one that waits already; the zero time is
// no deadline.
func (l *listener) SetDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.opError("set", net.ErrClosed)
	}
	l.deadline = t
	if !t.IsZero() {
		// By the monotonic clock, as the alarm is: it must not find that the time has not come.
		left := time.Until(t)
		l.deadline = time.Now().Add(left)
		l.alarm.Reset(left)
	}
	return nil
}

func (l *listener) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready.Broadcast()
}

func (l *listener) Close() error { return l.shut() }

func (l *listener) close() error {
	finished := l.markClosed()
	err := l.closeInner()
	var dropped sync.WaitGroup
	for _, h := range finished {
		dropped.Go(h.drop)
	}
	dropped.Wait()
	<-l.stopped
	if errors.Is(err, net.ErrClosed) {
		// Somebody else closed it.
		return nil
	}
	return err
}

// markClosed makes Accept fail, and returns the connections that it would have returned.
func (l *listener) markClosed() []*handshake {
	l.mu.Lock()
	defer l.mu.Unlock()
	finished := l.finished
	l.closed, l.finished = true, nil
	l.cancel()
	l.alarm.Stop()
	l.ready.Broadcast()
	return finished
}

func (l *listener) Addr() net.Addr { return l.inner.Addr() }

// NetListener returns the listener whose connections are upgraded. To accept from it is to go without.
func (l *listener) NetListener() net.Listener { return l.inner }

func (l *listener) opError(op string, err error) error {
	addr := l.Addr()
	return &net.OpError{Op: op, Net: addr.Network(), Addr: addr, Err: err}
}
