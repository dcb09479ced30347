package peerscript

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how many bytes may wait in one direction before writes block.
const window = 64 << 10

// Pipe returns the two ends of a connection in memory that behaves as a socket does: writes do not wait for the reader
// until 64 KiB lie between the two, CloseWrite ends one direction, and a write to an end that is closed is EPIPE.
// Unlike a socket it keeps writes apart, for tests that must not depend on timing: a Read returns bytes of one Write
// only. It uses nothing but channels, mutexes held for moments, and timers, so it works in a testing/synctest bubble.
func Pipe() (a, b net.Conn) {
	there, back := newHalf(), newHalf()
	return &pipeEnd{in: back, out: there}, &pipeEnd{in: there, out: back}
}

// A half is one direction of a pipe.
type half struct {
	mu      sync.Mutex
	chunks  [][]byte
	size    int
	ended   bool          // the writer will write no more
	gone    bool          // the reader will read no more
	changed chan struct{} // closed at the next change of the above
}

func newHalf() *half { return &half{changed: make(chan struct{})} }

// update changes h and wakes all who wait for it.
func (h *half) update(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	close(h.changed)
	h.changed = make(chan struct{})
}

// read reads if that is possible now; else it returns what to wait for. So does write.
func (h *half) read(b []byte) (n int, wait <-chan struct{}, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.gone:
		return 0, nil, net.ErrClosed
	case len(b) == 0:
		return 0, nil, nil
	case len(h.chunks) == 0 && h.ended:
		return 0, nil, io.EOF
	case len(h.chunks) == 0:
		return 0, h.changed, nil
	}
	n = copy(b, h.chunks[0])
	if h.chunks[0] = h.chunks[0][n:]; len(h.chunks[0]) == 0 {
		h.chunks = h.chunks[1:]
	}
	h.size -= n
	close(h.changed)
	h.changed = make(chan struct{})
	return n, nil, nil
}

func (h *half) write(b []byte) (wait <-chan struct{}, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ended:
		return nil, net.ErrClosed
	case h.gone:
		return nil, syscall.EPIPE
	case len(b) == 0:
		return nil, nil
	case h.size >= window:
		return h.changed, nil
	}
	h.chunks = append(h.chunks, append([]byte(nil), b...))
	h.size += len(b)
	close(h.changed)
	h.changed = make(chan struct{})
	return nil, nil
}

// A pipeEnd is one end of a pipe.
type pipeEnd struct {
	in, out         *half
	reading, writes deadline
}

func (c *pipeEnd) Read(b []byte) (int, error) {
	for {
		if c.reading.passed() {
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		}
		n, wait, err := c.in.read(b)
		switch {
		case err == io.EOF:
			return 0, err
		case err != nil:
			return 0, c.fail("read", err)
		case wait == nil:
			return n, nil
		}
		select {
		case <-wait:
		case <-c.reading.done():
		}
	}
}

func (c *pipeEnd) Write(b []byte) (int, error) {
	for written := 0; ; {
		if c.writes.passed() {
			return written, c.fail("write", os.ErrDeadlineExceeded)
		}
		// A chunk may be as large as the window, not larger.
		chunk := b[written:min(len(b), written+window)]
		wait, err := c.out.write(chunk)
		switch {
		case err != nil:
			return written, c.fail("write", err)
		case wait == nil:
			if written += len(chunk); written == len(b) {
				return written, nil
			}
			continue
		}
		select {
		case <-wait:
		case <-c.writes.done():
		}
	}
}

// Close ends both directions; bytes that the other end has not read yet can still be read there.
func (c *pipeEnd) Close() error {
	c.in.update(func() { c.in.gone, c.in.chunks, c.in.size = true, nil, 0 })
	return c.CloseWrite()
}

// CloseWrite ends the direction to the other end.
func (c *pipeEnd) CloseWrite() error {
	c.out.update(func() { c.out.ended = true })
	return nil
}

func (c *pipeEnd) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "pipe", Addr: pipeAddr{}, Err: err}
}

func (c *pipeEnd) SetDeadline(t time.Time) error {
	c.reading.set(t)
	c.writes.set(t)
	return nil
}

func (c *pipeEnd) SetReadDeadline(t time.Time) error  { c.reading.set(t); return nil }
func (c *pipeEnd) SetWriteDeadline(t time.Time) error { c.writes.set(t); return nil }
func (c *pipeEnd) LocalAddr() net.Addr                { return pipeAddr{} }
func (c *pipeEnd) RemoteAddr() net.Addr               { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// A deadline is a point in time that can be moved while others wait for it.
type deadline struct {
	mu    sync.Mutex
	at    time.Time
	timer *time.Timer
	moved chan struct{} // closed when the deadline passes or is moved; made when somebody waits
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	d.wake()
	if !t.IsZero() {
		d.timer = time.AfterFunc(time.Until(t), func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.wake()
		})
	}
}

func (d *deadline) wake() {
	if d.moved != nil {
		close(d.moved)
		d.moved = nil
	}
}

// passed reports whether the deadline is over.
func (d *deadline) passed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.at.IsZero() && !time.Now().Before(d.at)
}

// done is closed when to look again. Whoever has seen that the deadline is not over may wait for it.
func (d *deadline) done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	over := !d.at.IsZero() && !time.Now().Before(d.at)
	if d.moved == nil {
		d.moved = make(chan struct{})
	}
	ch := d.moved
	if over {
		// It passed between the two looks: nobody would wake this one.
		d.wake()
	}
	return ch
}
