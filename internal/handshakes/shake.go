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
	giveUp  context.CancelCauseFunc
	release context.CancelFunc
	spare   func() bool // ends the watch that closes conn when ctx is done; false: conn was closed
	element *list.Element
}

// admit is called by the loop, which goes on when it returns.
func (l *listener) admit(conn net.Conn) {
	if !l.takePlace() {
		_ = conn.Close()
		return
	}
	h := l.begin(conn)
	l.running.Go(func() { l.run(h) })
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
			if left := l.giveUpOldest(); left > 0 {
				timer.Reset(left)
			}
		}
	}
}

// giveUpOldest ends the handshake that has been under way longest, or returns how long it must still be left alone.
// Where it returns 0 there is no need to ask again: a place will be free soon, or when Accept is called.
func (l *listener) giveUpOldest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	oldest := l.underWay.Front()
	if oldest == nil {
		return 0
	}
	h := oldest.Value.(*handshake)
	left := grace - time.Since(h.began)
	if left <= 0 {
		h.giveUp(ErrGivenUp)
	}
	return left
}

func (l *listener) begin(conn net.Conn) *handshake {
	h := &handshake{conn: conn, began: time.Now()}
	h.ctx, h.giveUp = context.WithCancelCause(l.ctx)
	h.ctx, h.release = context.WithTimeoutCause(h.ctx, l.config.Timeout, l.late)
	l.running.Add(1) // for the watch
	h.spare = context.AfterFunc(h.ctx, func() {
		defer l.running.Done()
		_ = conn.Close()
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	h.element = l.underWay.PushBack(h)
	return h
}

// run is the goroutine of a handshake.
func (l *listener) run(h *handshake) {
	err := errExited
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{v, debug.Stack()}
		}
		l.finish(h, err)
	}()
	h.ready, err = l.config.Upgrade(h.ctx, h.conn)
}

func (l *listener) finish(h *handshake, err error) {
	l.leave(h)
	err = l.verdict(h, err)
	h.release()
	h.giveUp(nil)
	if err == nil && l.handOver(h) {
		return
	}
	h.drop()
	<-l.places
	if l.ctx.Err() == nil {
		l.failures.add(Failure{Op: "handshake", Remote: h.conn.RemoteAddr(), Err: err, Count: 1})
	}
}

// leave comes before the verdict, so that what has succeeded is not given up.
func (l *listener) leave(h *handshake) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underWay.Remove(h.element)
}

// verdict says how a handshake went for which Upgrade returned err.
func (l *listener) verdict(h *handshake, err error) error {
	if h.spare() {
		l.running.Done()
		if err == nil && h.ready == nil {
			return errNoConn
		}
		return err
	}
	cause := context.Cause(h.ctx)
	if err == nil || err == h.ctx.Err() {
		return cause
	}
	return fmt.Errorf("%w: %w", cause, err)
}

// handOver gives a connection to Accept, or returns false when the listener is closed.
func (l *listener) handOver(h *handshake) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.finished = append(l.finished, h)
	l.ready.Signal()
	return true
}

// drop closes a connection that nobody gets, the inner one first: there is no time for farewells.
func (h *handshake) drop() {
	_ = h.conn.Close()
	if h.ready != nil {
		_ = h.ready.Close()
	}
}
