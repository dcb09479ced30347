package handshakes

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"time"
)

var (
	errNoConn = errors.New("the handshake gave no connection")
	errExited = errors.New("the handshake ended its goroutine")
)

// A handshake is a connection that was accepted from the inner listener and not from ours.
type handshake struct {
	conn    net.Conn // as accepted
	ready   net.Conn // as upgraded, once it is
	began   time.Time
	ctx     context.Context
	cancel  context.CancelFunc
	element *list.Element
	cause   error // why the listener ended it; guarded by the listener's mu
}

// admit is called by the loop, which goes on when it returns.
func (l *listener) admit(conn net.Conn) {
	if !l.takePlace() {
		_ = conn.Close()
		return
	}
	l.running.Add(1)
	go l.run(l.begin(conn))
}

// takePlace waits for a place, and makes one where it may. It returns false when the listener is closed.
func (l *listener) takePlace() bool {
	select {
	case l.places <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case l.places <- struct{}{}:
			return true
		case <-l.ctx.Done():
			return false
		case <-timer.C:
			timer.Reset(l.giveUpOldest())
		}
	}
}

// giveUpOldest returns when to ask again if there is no place by then.
func (l *listener) giveUpOldest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if left := l.endOldest(grace, ErrGivenUp); left > 0 {
		return left
	}
	// An Upgrade that was given up is gone soon, but one may be stuck.
	return grace
}

func (l *listener) begin(conn net.Conn) *handshake {
	h := &handshake{conn: conn, began: time.Now()}
	h.ctx, h.cancel = context.WithDeadlineCause(l.values, h.began.Add(l.config.Timeout), l.late)
	l.mu.Lock()
	defer l.mu.Unlock()
	h.element = l.underWay.PushBack(h)
	if !l.watched {
		l.watched = true
		l.watch.Reset(l.config.Timeout)
	}
	return h
}

// endLate ends the handshakes whose time is up. One timer does for all, as the oldest is the first.
func (l *listener) endLate() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.underWay.Len() > 0 {
		if left := l.endOldest(l.config.Timeout, l.late); left > 0 {
			l.watch.Reset(left)
			return
		}
	}
	l.watched = false
}

// endAll ends the handshakes when the loop has ended.
func (l *listener) endAll(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.underWay.Len() > 0 {
		l.endOldest(0, cause)
	}
	l.watch.Stop()
}

// endOldest ends the handshake that has been under way longest, if that is as long as limit; else it returns how much
// is left. The caller holds mu.
func (l *listener) endOldest(limit time.Duration, cause error) (left time.Duration) {
	oldest := l.underWay.Front()
	if oldest == nil {
		return 0
	}
	h := oldest.Value.(*handshake)
	if left := limit - time.Since(h.began); left > 0 {
		return left
	}
	l.underWay.Remove(oldest)
	h.cause = cause
	h.cancel()
	// A close may take its time, as that of a *tls.Conn does.
	l.running.Go(func() { _ = h.conn.Close() })
	return 0
}

// run is the goroutine of a handshake.
func (l *listener) run(h *handshake) {
	defer l.running.Done()
	err := errExited
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{v, debug.Stack()}
		}
		l.finish(h, err)
	}()
	var conn net.Conn
	if conn, err = l.config.Upgrade(h.ctx, h.conn); err == nil {
		// With an error it may be a nil pointer in the guise of a connection.
		h.ready = conn
	}
}

func (l *listener) finish(h *handshake, err error) {
	if err = l.settle(h, err); err == nil {
		return
	}
	h.drop()
	<-l.places
	if l.ctx.Err() == nil {
		l.failures.add(Failure{Op: "handshake", Remote: h.conn.RemoteAddr(), Err: err, Count: 1})
	}
}

// settle gives a connection to Accept, or returns why not. Err is Upgrade's.
func (l *listener) settle(h *handshake, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer h.cancel()
	l.underWay.Remove(h.element)
	if err = h.verdict(err); err != nil {
		return err
	}
	if l.closed {
		return net.ErrClosed
	}
	l.finished = append(l.finished, h)
	l.ready.Signal()
	return nil
}

// verdict says how a handshake went for which Upgrade returned err.
func (h *handshake) verdict(err error) error {
	cause := h.cause
	if cause == nil {
		// The context may have ended just before endLate comes.
		cause = context.Cause(h.ctx)
	}
	switch {
	case cause == nil && err == nil && h.ready == nil:
		return errNoConn
	case cause == nil:
		return err
	case err == nil || err == h.ctx.Err():
		return cause
	default:
		return fmt.Errorf("%w: %w", cause, err)
	}
}

// drop closes a connection that nobody gets, the inner one first: there is no time for farewells.
func (h *handshake) drop() {
	_ = h.conn.Close()
	if h.ready != nil {
		_ = h.ready.Close()
	}
}
