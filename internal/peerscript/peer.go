package peerscript

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// A Peer plays scripts. The zero Peer can do all but TLS.
type Peer struct {
	Certs    *Certs        // what it shows and trusts in TLS
	Deadline time.Duration // for the whole of a script, default 30 s
}

// A Result is what a peer has seen.
type Result struct {
	Plain   []byte // every byte that came in plain text, in total
	Late    []byte // those among them that came behind a TLS record
	Records int    // TLS records that came
	Hello   bool   // one of them was a handshake record
	App     []byte // what was read inside TLS
	Closed  bool   // the other side closed the connection
	Took    time.Duration

	TLS    *tls.ConnectionState // nil if TLS did not come up
	TLSErr error                // why a handshake failed

	Err error // the step that went wrong, and how
}

// Run plays a script on conn, which it closes, and reports a step that goes wrong as an error of t. It returns when the
// other side has closed the connection, or the deadline has passed. It starts no goroutine.
func (p Peer) Run(t testing.TB, conn net.Conn, s *Script) *Result {
	t.Helper()
	r := p.play(conn, s)
	if r.Err != nil {
		t.Errorf("peer: %v", r.Err)
	}
	return r
}

func (p Peer) play(conn net.Conn, s *Script) *Result {
	if p.Deadline == 0 {
		p.Deadline = 30 * time.Second
	}
	start := time.Now()
	pl := &player{certs: p.Certs, wire: &wire{Conn: conn}, vars: map[string]string{}}
	pl.rw = pl.wire
	err := conn.SetDeadline(start.Add(p.Deadline))
	for _, step := range s.steps {
		if err != nil {
			break
		}
		if err = step.run(pl); err != nil && pl.mayClose && pl.wire.closed {
			err = nil
			break
		}
		if err != nil {
			err = fmt.Errorf("line %d: %s: %w", step.line, step.text, err)
		}
	}
	if err == nil {
		pl.drain()
	}
	_ = conn.Close()
	return pl.result(err, time.Since(start))
}

func (p *player) result(err error, took time.Duration) *Result {
	r := &p.wire.rec
	r.add(p.wire.pending)
	r.end()
	if err == nil && p.guarded && len(r.plain) > p.allowed {
		err = fmt.Errorf("plain text came where none may: %q", r.plain[p.allowed:])
	}
	return &Result{
		Plain: r.plain, Late: r.late, Records: r.records, Hello: r.hello, App: p.app,
		Closed: p.wire.closed, Took: took, TLS: p.state, TLSErr: p.tlsErr, Err: err,
	}
}

// A wire is the connection; what is read from it is written down.
type wire struct {
	net.Conn
	rec     record
	pending []byte // read already, not yet known to be plain text
	closed  bool
	prefix  []byte // goes out with the next write
}

// Read reads what may be plain text or not.
func (w *wire) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := copy(b, w.pending), error(nil)
	if n > 0 {
		w.pending = w.pending[n:]
	} else {
		n, err = w.read(b)
	}
	w.rec.add(b[:n])
	return n, err
}

// read reads without writing down.
func (w *wire) read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.note(err)
	return n, err
}

// note takes note of an error. Any but these two, a reset for one, comes from the other side.
func (w *wire) note(err error) {
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		w.closed = true
	}
}

func (w *wire) Write(b []byte) (int, error) {
	before := len(w.prefix)
	if before > 0 {
		b = append(w.prefix, b...)
		w.prefix = nil
	}
	n, err := w.Conn.Write(b)
	w.note(err)
	return max(0, n-before), err
}

// A player is a peer at work.
type player struct {
	certs *Certs
	wire  *wire
	rw    io.ReadWriter // wire, or TLS on it
	buf   []byte        // read inside TLS, not yet expected
	app   []byte
	vars  map[string]string

	state  *tls.ConnectionState
	tlsErr error

	guarded  bool // no more plain text may come than
	allowed  int
	mayClose bool
}

// inTLS reports whether TLS is up.
func (p *player) inTLS() bool { return p.state != nil }

// ahead returns the bytes that were read and not yet expected.
func (p *player) ahead() *[]byte {
	if p.inTLS() {
		return &p.buf
	}
	return &p.wire.pending
}

// fill reads what comes next.
func (p *player) fill() error {
	b := make([]byte, 4096)
	read := p.wire.read
	if p.inTLS() {
		read = p.rw.Read
	}
	n, err := read(b)
	buf := p.ahead()
	*buf = append(*buf, b[:n]...)
	if n > 0 {
		return nil
	}
	return err
}

// take takes n bytes that were read as expected.
func (p *player) take(n int) []byte {
	buf := p.ahead()
	b := (*buf)[:n]
	*buf = (*buf)[n:]
	if p.inTLS() {
		p.app = append(p.app, b...)
	} else {
		p.wire.rec.addPlain(b)
	}
	return b
}

func (p *player) expand(b []byte) []byte {
	if len(p.vars) == 0 {
		return b
	}
	s := string(b)
	for name, value := range p.vars {
		s = strings.ReplaceAll(s, "${"+name+"}", value)
	}
	return []byte(s)
}
