package starttls_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/peerscript"
	"github.com/epctl/endpoint/plugins/starttls"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

var errTorture = errors.New("the call that had to fail")

// tooMany is more calls than any dialogue with its handshake makes.
const tooMany = 200

// A tortured connection fails one of its calls, or that and all later ones.
type tortured struct {
	net.Conn
	mu     sync.Mutex
	left   int // calls up to the one that fails
	ever   bool
	failed bool
	closed chan struct{}
	close  func()
}

func torture(conn net.Conn, n int, ever bool) *tortured {
	c := &tortured{Conn: conn, left: n, ever: ever, closed: make(chan struct{})}
	c.close = sync.OnceFunc(func() { close(c.closed) })
	return c
}

func (c *tortured) call() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
	if c.left == 0 || c.ever && c.left < 0 {
		c.failed = true
		return errTorture
	}
	return nil
}

// release ends the torture, and reports whether a call has failed.
func (c *tortured) release() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.ever = 0, false
	return c.failed
}

func (c *tortured) Read(b []byte) (int, error) {
	if err := c.call(); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c *tortured) Write(b []byte) (int, error) {
	if err := c.call(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

func (c *tortured) SetDeadline(t time.Time) error {
	if err := c.call(); err != nil {
		return err
	}
	return c.Conn.SetDeadline(t)
}

func (c *tortured) Close() error {
	c.close()
	return c.Conn.Close()
}

// isClosed reports whether the connection is closed, or is soon.
func (c *tortured) isClosed() bool {
	select {
	case <-c.closed:
		return true
	case <-time.After(patience):
		return false
	}
}

// A feed is the inner endpoint of both sides: what is dialled, and what is accepted.
type feed struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newFeed() *feed {
	f := &feed{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	f.close = sync.OnceFunc(func() { close(f.closed) })
	return f
}

func (f *feed) Dial(context.Context) (net.Conn, error)       { return <-f.conns, nil }
func (f *feed) Listen(context.Context) (net.Listener, error) { return f, nil }
func (f *feed) Close() error                                 { f.close(); return nil }
func (f *feed) Addr() net.Addr                               { return &net.TCPAddr{} }

func (f *feed) Accept() (net.Conn, error) {
	select {
	case conn := <-f.conns:
		return conn, nil
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

// A rack is a client and a listener of a protocol, which meet on connections that we make.
type rack struct {
	client       registry.Client
	dials        *feed
	accepts      *feed
	ln           net.Listener
	accepted     chan net.Conn
	acceptsEnded chan struct{}
	failures     chan error // of handshakes, which the listener tells by trace
}

func newRack(t *testing.T, proto string) *rack {
	t.Helper()
	r := &rack{dials: newFeed(), accepts: newFeed(), accepted: make(chan net.Conn, 1), acceptsEnded: make(chan struct{}), failures: make(chan error, tooMany)}
	plugins := withPeer(registry.Plugin{
		Client: registry.For(func(struct{}) (registry.Client, error) { return r.dials, nil }),
		Server: registry.For(func(struct{}) (registry.Server, error) { return r.accepts, nil }),
	})
	cert, key, ca := certtest.WritePair(t, "localhost")
	client, err := plugins.NewClient(fmt.Sprintf("starttls:endpoint={peer}:proto=%s:host=localhost:sessionCache=0:trustRoots=[%s]", proto, ca))
	if err != nil {
		t.Fatal(err)
	}
	server, err := plugins.NewServer(fmt.Sprintf("starttls:endpoint={peer}:proto=%s:certificate=[%s]:privateKey=[%s]", proto, cert, key))
	if err != nil {
		t.Fatal(err)
	}
	if r.ln, err = server.Listen(trace.With(within(t), r.told)); err != nil {
		t.Fatal(err)
	}
	r.client = client
	go r.accept()
	return r
}

func (r *rack) accept() {
	defer close(r.acceptsEnded)
	for {
		conn, err := r.ln.Accept()
		if err != nil {
			return
		}
		r.accepted <- conn
	}
}

// told keeps why a handshake of the listener failed. Nobody asks that of a crowd, which is more than there is room for.
func (r *rack) told(e trace.Event) {
	if e.Kind != trace.HandshakeDone || e.Err == nil {
		return
	}
	select {
	case r.failures <- e.Err:
	default:
	}
}

func (r *rack) stop() {
	_ = r.ln.Close()
	<-r.acceptsEnded
}

// meet has the two sides meet on the ends of a connection.
func (r *rack) meet(t *testing.T, near, far net.Conn) (net.Conn, error) {
	r.dials.conns <- near
	r.accepts.conns <- far
	return r.client.Dial(within(t))
}

// ST-24, in the manner of curl: each call that can fail does so once, on either side, and each time there is an error, and
// a connection that is closed. No goroutine is left.
func TestTorture(t *testing.T) {
	for _, proto := range starttls.Protocols() {
		for _, ever := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s client ever=%v", proto, ever), func(t *testing.T) { tortureSide(t, proto, (*rack).tortureClient, ever) })
			t.Run(fmt.Sprintf("%s server ever=%v", proto, ever), func(t *testing.T) { tortureSide(t, proto, (*rack).tortureServer, ever) })
		}
	}
}

func tortureSide(t *testing.T, proto string, once func(*rack, *testing.T, int, bool) bool, ever bool) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := newRack(t, proto)
	defer r.stop()
	n := 1
	for ; once(r, t, n, ever); n++ {
		if n == tooMany {
			t.Fatalf("no success when call %d fails", n)
		}
	}
	// A deadline, a line to agree on TLS, and a handshake are more than that.
	if t.Logf("%d calls can fail", n-1); n < 8 {
		t.Errorf("only %d calls were made to fail", n-1)
	}
}

// tortureClient fails the n-th call of the client, and reports whether it made that many.
func (r *rack) tortureClient(t *testing.T, n int, ever bool) bool {
	near, far := peerscript.Pipe()
	bad, watched := torture(near, n, ever), torture(far, 0, false)
	conn, err := r.meet(t, bad, watched)
	if !bad.release() {
		if err != nil {
			t.Fatalf("no call of %d failed, and there is the error %v", n-1, err)
		}
		r.echo(t, conn, <-r.accepted)
		return false
	}
	var failed *starttls.Error
	switch {
	case err == nil:
		_ = conn.Close()
		t.Errorf("call %d fails, and there is a connection", n)
	case !errors.As(err, &failed) || !errors.Is(err, errTorture):
		t.Errorf("call %d: the error is %v", n, err)
	case !bad.isClosed():
		t.Errorf("call %d: the connection is open", n)
	}
	r.gone(t, watched, n)
	return true
}

// tortureServer does that to the server, which tells it by trace: the connection is closed and not handed out.
func (r *rack) tortureServer(t *testing.T, n int, ever bool) bool {
	near, far := peerscript.Pipe()
	bad := torture(far, n, ever)
	conn, err := r.meet(t, near, bad)
	if err == nil {
		defer conn.Close() // in TLS 1.3 the client may be done before the server fails
	}
	select {
	case peer := <-r.accepted:
		if bad.release() {
			_ = peer.Close()
			t.Errorf("call %d fails, and the connection is handed out", n)
			return true
		}
		if err != nil {
			t.Fatal(err)
		}
		r.echo(t, conn, peer)
		return false
	case <-bad.closed:
		if !bad.release() {
			t.Fatalf("no call of %d failed, and the connection is closed; the client says %v", n-1, err)
		}
		r.reported(t, n)
	case <-time.After(patience):
		t.Fatalf("call %d: the connection is open", n)
	}
	return true
}

// reported waits until the listener has told of the failure, which it does once.
func (r *rack) reported(t *testing.T, n int) {
	t.Helper()
	select {
	case err := <-r.failures:
		if !errors.Is(err, errTorture) {
			t.Errorf("call %d: the listener tells %v", n, err)
		}
	case <-time.After(patience):
		t.Fatalf("call %d: the listener tells nothing", n)
	}
	if more := len(r.failures); more > 0 {
		t.Errorf("call %d: the listener tells of it %d times more", n, more)
	}
}

// gone waits until the other side is done with a connection that failed. In TLS 1.3 it may have been handed out before.
func (r *rack) gone(t *testing.T, watched *tortured, n int) {
	t.Helper()
	select {
	case peer := <-r.accepted:
		_ = peer.Close()
	case <-watched.closed:
	case <-time.After(patience):
		t.Fatalf("call %d: the other side holds on", n)
	}
}

// echo shows that a connection is one.
func (r *rack) echo(t *testing.T, conn, peer net.Conn) {
	t.Helper()
	defer conn.Close()
	defer peer.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_ = peer.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(peer, "hello"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != "hello" {
		t.Fatalf("read %q, %v", b, err)
	}
}
