package handshakes_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/handshakes"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A peers is a listener whose connections are pipes, so that it lives in a bubble.
type peers struct {
	queue  chan net.Conn // the system's queue
	fail   chan error    // what Accept fails with first
	asked  atomic.Int32  // calls of Accept
	closes atomic.Int32
	closed chan struct{}
	once   sync.Once
}

func newPeers() *peers {
	return &peers{queue: make(chan net.Conn, 1000), fail: make(chan error, 1000), closed: make(chan struct{})}
}

func (p *peers) Accept() (net.Conn, error) {
	p.asked.Add(1)
	select {
	case <-p.closed:
		return nil, errPeersClosed
	case err := <-p.fail:
		return nil, err
	default:
	}
	select {
	case c := <-p.queue:
		return c, nil
	case <-p.closed:
		return nil, errPeersClosed
	}
}

var errPeersClosed = &net.OpError{Op: "accept", Net: "peers", Err: net.ErrClosed}

func (p *peers) Close() error {
	p.closes.Add(1)
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *peers) Addr() net.Addr { return peersAddr{} }

type peersAddr struct{}

func (peersAddr) Network() string { return "peers" }
func (peersAddr) String() string  { return "here" }

// connect makes a connection that says words, one after the other, and returns its far end.
func (p *peers) connect(t *testing.T, words ...string) *peer {
	far, near := net.Pipe()
	p.queue <- near
	c := &peer{Conn: far, start: time.Now(), gone: make(chan struct{})}
	t.Cleanup(func() { _ = far.Close() })
	go c.talk(words)
	return c
}

// A peer is a client.
type peer struct {
	net.Conn
	start time.Time
	lived time.Duration // until the server closed the connection
	gone  chan struct{} // closed then
}

func (c *peer) talk(words []string) {
	defer close(c.gone)
	for _, w := range words {
		if _, err := c.Write([]byte(w)); err != nil {
			break
		}
	}
	_, _ = io.Copy(io.Discard, c)
	c.lived = time.Since(c.start)
}

// life returns how long it took the server to close the connection.
func (c *peer) life() time.Duration {
	<-c.gone
	return c.lived
}

// open reports whether the server still has the connection.
func (c *peer) open() bool {
	synctest.Wait()
	select {
	case <-c.gone:
		return false
	default:
		return true
	}
}

// password is the upgrade of most tests: one byte, "+" lets in. It knows nothing of contexts.
func password(_ context.Context, c net.Conn) (net.Conn, error) {
	var b [1]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return nil, err
	}
	if b[0] != '+' {
		return nil, errWrong
	}
	return c, nil
}

var errWrong = errors.New("wrong password")

// A reports is what was reported.
type reports struct {
	mu   sync.Mutex
	list []handshakes.Failure
}

func (r *reports) add(f handshakes.Failure) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, f)
}

func (r *reports) all() []handshakes.Failure {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

func (r *reports) only(t *testing.T) handshakes.Failure {
	t.Helper()
	all := r.all()
	if len(all) != 1 {
		t.Fatalf("%d reports, want one: %v", len(all), all)
	}
	return all[0]
}

// in runs f in a bubble with a listener over p.
func in(t *testing.T, c handshakes.Config, f func(t *testing.T, p *peers, ln net.Listener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if c.Upgrade == nil {
			c.Upgrade = password
		}
		p := newPeers()
		ln := handshakes.Listen(t.Context(), p, c)
		t.Cleanup(func() {
			if err := ln.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
		})
		f(t, p, ln)
	})
}

// accept returns the next connection and its first byte, which says who it is.
func accept(t *testing.T, ln net.Listener) (net.Conn, string) {
	t.Helper()
	c, err := ln.Accept()
	if err != nil {
		t.Fatalf("Accept: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	var name [1]byte
	if _, err := io.ReadFull(c, name[:]); err != nil {
		t.Fatalf("reading from an accepted connection: %v", err)
	}
	return c, string(name[:])
}

// pending calls Accept and returns where its error goes. A connection is an error too.
func pending(ln net.Listener) <-chan error {
	done := make(chan error, 1)
	go func() {
		c, err := ln.Accept()
		if err == nil {
			_ = c.Close()
			err = errors.New("a connection was accepted")
		}
		done <- err
	}()
	return done
}

func waits(done <-chan error) bool {
	synctest.Wait()
	return len(done) == 0
}

// LI-03
func TestASilentPeerDelaysNoOther(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		start := time.Now()
		silent := p.connect(t)
		p.connect(t, "+", "g")
		if _, name := accept(t, ln); name != "g" || time.Since(start) != 0 {
			t.Errorf("accepted %q after %v", name, time.Since(start))
		}
		if !silent.open() {
			t.Error("the silent peer is gone")
		}
	})
}

func TestAcceptFollowsTheOrderOfCompletion(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		slow := p.connect(t)
		for _, name := range []string{"a", "b", "c"} {
			p.connect(t, "+", name)
			synctest.Wait()
		}
		go func() { _, _ = slow.Write([]byte("+s")) }()
		synctest.Wait()
		for _, want := range []string{"a", "b", "c", "s"} {
			if _, got := accept(t, ln); got != want {
				t.Errorf("accepted %q, want %q", got, want)
			}
		}
	})
}

// LI-04
func TestAHandshakeEndsWhenItsTimeIsUp(t *testing.T) {
	for name, upgrade := range map[string]func(context.Context, net.Conn) (net.Conn, error){
		"it only reads": password,
		"it looks at its context": func(ctx context.Context, c net.Conn) (net.Conn, error) {
			<-ctx.Done()
			return nil, errors.Join(ctx.Err(), c.Close())
		},
		"it succeeds too late": func(_ context.Context, c net.Conn) (net.Conn, error) {
			_, _ = c.Read(make([]byte, 1))
			return c, nil
		},
		"it succeeds just too late": func(ctx context.Context, c net.Conn) (net.Conn, error) {
			<-ctx.Done()
			return c, nil
		},
	} {
		for _, timeout := range []time.Duration{0, time.Minute} {
			var told reports
			c := handshakes.Config{Upgrade: upgrade, Timeout: timeout, Report: told.add}
			want := timeout
			if timeout == 0 {
				want = 10 * time.Second
			}
			t.Run(name+", "+want.String(), func(t *testing.T) {
				in(t, c, func(t *testing.T, p *peers, ln net.Listener) {
					accepting := pending(ln)
					silent := p.connect(t)
					if d := silent.life(); d != want {
						t.Errorf("closed after %v, want %v", d, want)
					}
					if !waits(accepting) {
						t.Errorf("Accept: %v", <-accepting)
					}
					var netErr net.Error
					err := told.only(t).Err
					if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &netErr) || !netErr.Timeout() {
						t.Errorf("reported %v, want a timeout", err)
					}
				})
			})
		}
	}
}

// The one timer of all handshakes is set for each of them, also after there was none for long.
func TestEachHandshakeHasItsOwnTime(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		p.connect(t, "+", "g")
		accept(t, ln)
		var silent []*peer
		for _, pause := range []time.Duration{0, 5, 1, 1, 100, 9, 9} {
			time.Sleep(pause * time.Second)
			silent = append(silent, p.connect(t))
		}
		for i, c := range silent {
			if d := c.life(); d != 10*time.Second {
				t.Errorf("peer %d was closed after %v", i, d)
			}
		}
	})
}

// LI-04
func TestAFailedHandshakeIsNotAccepted(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		bad := p.connect(t, "-")
		early := p.connect(t)
		_ = early.Close()
		p.connect(t, "+", "g")
		if _, name := accept(t, ln); name != "g" {
			t.Errorf("accepted %q", name)
		}
		if bad.open() {
			t.Error("the failed connection is open")
		}
	})
}

func TestWhatUpgradeMayDoWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		upgrade func() (net.Conn, error)
		want    string
	}{
		"panic":                  {func() (net.Conn, error) { panic("no certificate") }, "panic in the handshake: no certificate"},
		"panic with nil":         {func() (net.Conn, error) { panic(nil) }, "panic in the handshake: panic called with nil argument"},
		"no connection":          {func() (net.Conn, error) { return nil, nil }, "the handshake gave no connection"},
		"a nil pointer":          {func() (net.Conn, error) { return (*tls.Conn)(nil), errWrong }, "wrong password"},
		"failed and left open":   {func() (net.Conn, error) { return nil, errWrong }, "wrong password"},
		"the goroutine is ended": {func() (net.Conn, error) { goexit(); return nil, nil }, "the handshake ended its goroutine"},
	} {
		t.Run(name, func(t *testing.T) {
			var told reports
			in(t, handshakes.Config{
				Max: 1,
				Upgrade: func(ctx context.Context, c net.Conn) (net.Conn, error) {
					if conn, err := password(ctx, c); err == nil {
						return conn, nil
					}
					return tc.upgrade()
				},
				Report: told.add,
			}, func(t *testing.T, p *peers, ln net.Listener) {
				bad := p.connect(t, "-")
				<-bad.gone
				p.connect(t, "+", "g")
				if _, name := accept(t, ln); name != "g" {
					t.Errorf("accepted %q", name)
				}
				if f := told.only(t); f.Err.Error() != tc.want || f.Op != "handshake" || f.Remote != bad.LocalAddr() {
					t.Errorf("reported %+v", f)
				}
			})
		})
	}
}

func TestAPanicTellsWhere(t *testing.T) {
	var told reports
	in(t, handshakes.Config{
		Upgrade: func(context.Context, net.Conn) (net.Conn, error) { return explode() },
		Report:  told.add,
	}, func(t *testing.T, p *peers, _ net.Listener) {
		<-p.connect(t).gone
		var panicked *handshakes.PanicError
		if !errors.As(told.only(t).Err, &panicked) || panicked.Value != "boom" || !contains(panicked.Stack, "handshakes_test.explode") {
			t.Errorf("reported %+v", panicked)
		}
	})
}

type key struct{}

func TestTheContextOfUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got context.Context
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		p := newPeers()
		ln := handshakes.Listen(ctx, p, handshakes.Config{
			Timeout: 3 * time.Second,
			Upgrade: func(ctx context.Context, c net.Conn) (net.Conn, error) { got = ctx; return password(ctx, c) },
		})
		defer func() { _ = ln.Close() }()
		cancel()
		c := p.connect(t)
		synctest.Wait()
		if deadline, ok := got.Deadline(); !ok || time.Until(deadline) != 3*time.Second {
			t.Errorf("the deadline is in %v", time.Until(deadline))
		}
		if got.Value(key{}) != "value" || got.Err() != nil {
			t.Errorf("value %v, err %v", got.Value(key{}), got.Err())
		}
		go func() { _, _ = c.Write([]byte("+g")) }()
		accept(t, ln)
		if got.Err() == nil {
			t.Error("the context outlives the handshake")
		}
	})
}

// LI-04: a connection has no deadline of ours, before or after.
func TestNoDeadlineIsSetOnAConnection(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		far, near := net.Pipe()
		defer func() { _ = far.Close() }()
		p.queue <- noDeadlines{near, t}
		go func() { _, _ = far.Write([]byte("+g")) }()
		c, _ := accept(t, ln)
		if _, ok := c.(noDeadlines); !ok {
			t.Errorf("Accept returns a %T, not what Upgrade returned", c)
		}
	})
}

type noDeadlines struct {
	net.Conn
	t *testing.T
}

func (c noDeadlines) SetDeadline(time.Time) error      { c.t.Error("SetDeadline"); return nil }
func (c noDeadlines) SetReadDeadline(time.Time) error  { c.t.Error("SetReadDeadline"); return nil }
func (c noDeadlines) SetWriteDeadline(time.Time) error { c.t.Error("SetWriteDeadline"); return nil }

func explode() (net.Conn, error) { panic("boom") }

func goexit() { runtime.Goexit() }

func contains(stack []byte, s string) bool { return bytes.Contains(stack, []byte(s)) }
