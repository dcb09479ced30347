package happyeyeballs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/epctl/endpoint/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ms = time.Millisecond

var (
	errRefused  = errors.New("connection refused")
	errNotFound = &net.DNSError{Err: "no such host", Name: "host.example", IsNotFound: true}
	errServFail = &net.DNSError{Err: "server misbehaving", Name: "host.example", IsTemporary: true}
)

// world is a resolver and a network of which a test says how they behave. It is meant for a synctest bubble: all times
// are since it was made.
type world struct {
	t     testing.TB
	begun time.Time

	dns  map[string]reply // by network: "ip6", "ip4"
	host map[string]peer  // by address; what is not there is refused at once

	mu       sync.Mutex
	asked    []string // networks of the look-ups, in order
	attempts []start
	flying   int // attempts under way
	most     int // highest value of flying
	conns    []*fakeConn
	events   []trace.Event
}

// reply is an answer of the resolver.
type reply struct {
	after time.Duration
	addrs []string
	err   error
	never bool // until the context ends
	deaf  bool // goes on after the context has ended
}

// peer is what happens to a dial to an address.
type peer struct {
	after time.Duration // until the dial returns
	err   error
	drop  bool // no answer until the context ends
	deaf  bool // the dial goes on after the context has ended
	// The handshake:
	shake    time.Duration
	shakeErr error
	mute     bool // no answer until the context ends or the connection is closed
}

type start struct {
	at   time.Duration
	addr string
	end  time.Duration // when the dial returned; -1 while it is under way
}

func newWorld(t testing.TB) *world {
	return &world{t: t, begun: time.Now(), dns: map[string]reply{}, host: map[string]peer{}}
}

// engine makes an engine for the world; c's Resolver, Dial and Source are filled in where they are nil.
func (w *world) engine(c Config) *Engine {
	w.t.Helper()
	if c.Resolver == nil {
		c.Resolver = w
	}
	if c.Dial == nil {
		c.Dial = w.dial
	}
	if c.Source == nil {
		c.Source = mirror
	}
	e, err := New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// mirror gives every destination a source of the same scope and family, so that only the destinations decide.
func mirror(_ context.Context, dst netip.Addr) Source {
	switch {
	case dst.IsLoopback():
		return Source{Addr: dst}
	case dst.Is4():
		return Source{Addr: netip.MustParseAddr("192.0.2.200")}
	case dst.IsLinkLocalUnicast():
		return Source{Addr: netip.MustParseAddr("fe80::ffff")}
	}
	return Source{Addr: netip.MustParseAddr("2001:db8:ffff::1")}
}

// now is in whole microseconds: see instant.
func (w *world) now() time.Duration { return time.Since(w.begun).Truncate(time.Microsecond) }

// instant is what a dial and a handshake take at least. In a bubble time passes only when all else has come to rest: so
// what else happens at the same moment has happened when they return, and no test depends on which goroutine is faster.
const instant = time.Nanosecond

func (w *world) LookupNetIP(ctx context.Context, network, _ string) ([]netip.Addr, error) {
	w.mu.Lock()
	w.asked = append(w.asked, network)
	w.mu.Unlock()
	r, ok := w.dns[network]
	if !ok {
		return nil, errNotFound
	}
	if err := w.wait(ctx, r.after, r.never, r.deaf); err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, a := range r.addrs {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	return addrs, r.err
}

func (w *world) wait(ctx context.Context, d time.Duration, never, deaf bool) error {
	if deaf {
		<-time.After(d)
		return nil
	}
	if never {
		<-ctx.Done()
		return ctx.Err()
	}
	if d == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *world) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	name := to.Addr().String()
	w.mu.Lock()
	n := len(w.attempts)
	w.attempts = append(w.attempts, start{at: w.now(), addr: name, end: -1})
	w.flying++
	w.most = max(w.most, w.flying)
	p, ok := w.host[name]
	w.mu.Unlock()
	defer w.landed(n)
	if err := w.wait(ctx, max(p.after, instant), p.drop, p.deaf); err != nil {
		return nil, err
	}
	if !ok {
		return nil, errRefused
	}
	if p.err != nil {
		return nil, p.err
	}
	return w.connect(to), nil
}

func (w *world) landed(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flying--
	if n < len(w.attempts) { // else the test has begun a new list
		w.attempts[n].end = w.now()
	}
}

func (w *world) connect(to netip.AddrPort) *fakeConn {
	c := &fakeConn{to: to, closed: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, c)
	return c
}

// upgrade is the handshake that the peers' settings describe. It heeds the connection, not the context.
func (w *world) upgrade(_ context.Context, conn net.Conn) (net.Conn, error) {
	c := conn.(*fakeConn)
	p := w.host[c.to.Addr().String()]
	if p.mute {
		<-c.closed
		return nil, net.ErrClosed
	}
	timer := time.NewTimer(max(p.shake, instant))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.closed:
		return nil, net.ErrClosed
	}
	if p.shakeErr != nil {
		return nil, p.shakeErr
	}
	return upgraded{c}, nil
}

// dialTo dials host.example through e and returns where the connection went.
func (w *world) dialTo(ctx context.Context, e *Engine, up Upgrade) (string, error) {
	conn, err := e.DialThrough(trace.With(ctx, w.record), "host.example", 443, up)
	synctest.Wait() // for the losers, which otherwise look at the world while the test changes it
	if err != nil {
		if conn != nil {
			w.t.Error("a connection and an error")
		}
		return "", err
	}
	return remote(conn), nil
}

func remote(conn net.Conn) string { return conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().String() }

func (w *world) record(e trace.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

func (w *world) warnings() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, e := range w.events {
		if e.Kind == trace.Warning {
			out = append(out, e.Detail)
		}
	}
	return out
}

// started tells the attempts as "address@time" in order.
func (w *world) started() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, s := range w.attempts {
		out = append(out, fmt.Sprintf("%s@%v", s.addr, s.at))
	}
	return strings.Join(out, " ")
}

// settle lets the deaf come to their end.
func (w *world) settle() {
	<-time.After(24 * time.Hour)
	synctest.Wait()
}

// open lists the addresses of the connections that have not been closed.
func (w *world) open() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, c := range w.conns {
		if !c.isClosed() {
			out = append(out, c.to.Addr().String())
		}
	}
	return out
}

func (w *world) wantOpen(want ...string) {
	w.t.Helper()
	if got := w.open(); !slices.Equal(got, want) {
		w.t.Errorf("open connections: %v, want %v", got, want)
	}
}

func (w *world) wantStarted(want string) {
	w.t.Helper()
	if got := w.started(); got != want {
		w.t.Errorf("attempts:\n got %s\nwant %s", got, want)
	}
}
