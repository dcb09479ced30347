package registrytest

import (
	"bytes"
	"crypto/tls"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/net/nettest"
)

// A tlsConn is a connection that is encrypted by package crypto/tls, or wraps such a one.
type tlsConn interface {
	net.Conn
	ConnectionState() tls.ConnectionState
}

// aboveTLS makes the connections of mp that are TLS ones such that nettest can try them. A TLS connection on which a
// Write timed out is of no use for another one, since a part of a record may be on its way (crypto/tls says so at
// SetWriteDeadline); but nettest goes on to write after a timeout.
func aboveTLS(mp nettest.MakePipe) nettest.MakePipe {
	return func() (net.Conn, net.Conn, func(), error) {
		c1, c2, stop, err := mp()
		if err != nil {
			return nil, nil, nil, err
		}
		return withDeadlineAbove(c1), withDeadlineAbove(c2), stop, nil
	}
}

func withDeadlineAbove(c net.Conn) net.Conn {
	if _, ok := c.(tlsConn); !ok {
		return c
	}
	return &deadlineAbove{Conn: c, busy: make(chan struct{}, 1), passed: make(chan struct{})}
}

// A deadlineAbove keeps the write deadline for itself: a Write that it overtakes goes on, and the next one waits for
// that. All else is the connection's own.
type deadlineAbove struct {
	net.Conn
	busy chan struct{} // has an element while a Write is under way

	mu     sync.Mutex
	passed chan struct{} // is closed when the deadline has passed
	closed bool          // passed is
	timer  *time.Timer
	set    int // how often a deadline was set
}

func (c *deadlineAbove) SetDeadline(t time.Time) error {
	_ = c.SetWriteDeadline(t)
	return c.SetReadDeadline(t)
}

func (c *deadlineAbove) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set++
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.closed {
		c.passed, c.closed = make(chan struct{}), false
	}
	if t.IsZero() {
		return nil
	}
	number := c.set
	c.timer = time.AfterFunc(time.Until(t), func() { c.pass(number) })
	if !t.After(time.Now()) {
		c.passLocked()
	}
	return nil
}

// pass says that a deadline has passed, unless another one has been set since.
func (c *deadlineAbove) pass(number int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if number == c.set {
		c.passLocked()
	}
}

func (c *deadlineAbove) passLocked() {
	if !c.closed {
		close(c.passed)
		c.closed = true
	}
}

func (c *deadlineAbove) deadline() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passed
}

func (c *deadlineAbove) Write(b []byte) (int, error) {
	passed := c.deadline()
	select {
	case <-passed:
		return 0, os.ErrDeadlineExceeded
	default:
	}
	select {
	case c.busy <- struct{}{}:
	case <-passed:
		return 0, os.ErrDeadlineExceeded
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	own := bytes.Clone(b) // the caller may do what it likes with b after the deadline
	go func() {
		n, err := c.Conn.Write(own)
		done <- result{n, err}
		<-c.busy
	}()
	select {
	case r := <-done:
		return r.n, r.err
	case <-passed:
		return 0, os.ErrDeadlineExceeded
	}
}
