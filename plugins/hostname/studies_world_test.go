package hostname

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/registry"
)

const ms = time.Millisecond

var errRefused = errors.New("connection refused")

// A network is what a study sets up: a DNS server and a host with several addresses, in virtual time.
type network struct {
	aaaa, a reply
	paths   map[string]path // by the host's addresses; to others there is no answer
}

// A reply is what the DNS server says.
type reply struct {
	after time.Duration
	addrs []string
	err   error
	never bool
}

// A path is what happens to a connection attempt.
type path struct {
	after time.Duration
	err   error
	mute  bool // it connects, and then nothing comes
}

// A session is what came of a dial.
type session struct {
	asked    []string // look-ups in order: "ip6", "ip4"
	attempts []attempt
	winner   string        // address, empty where the dial failed
	after    time.Duration // when it was over
}

type attempt struct {
	addr string
	at   time.Duration
}

// to returns the addresses that were tried, in order.
func (s session) to() []string {
	var out []string
	for _, a := range s.attempts {
		out = append(out, a.addr)
	}
	return out
}

// dials dials the host as often as n says, by one endpoint with the given options, and returns the last session.
func (w network) dials(t *testing.T, options string, n int, upgrade happyeyeballs.Upgrade) (last session) {
	t.Helper()
	c := engineConfig(t, options)
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{network: w}
		c.Resolver, c.Dial, c.Source = r, r.dial, source
		engine, err := happyeyeballs.New(c)
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			r.begin()
			conn, err := engine.DialThrough(t.Context(), "host.example", 443, upgrade)
			if err == nil {
				r.winner = conn.RemoteAddr().(*net.TCPAddr).IP.String()
			}
			r.after = r.now()
			synctest.Wait() // for the losers
		}
		last = r.session
	})
	return last
}

func (w network) dial(t *testing.T, options string) session { return w.dials(t, options, 1, nil) }

// inOrder lets goroutines run one after the other, so that the order of the look-ups shows.
func inOrder() (restore func()) {
	n := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(n) }
}

// engineConfig is what the plugin makes of its defaults and the options.
func engineConfig(t *testing.T, options string) (c happyeyeballs.Config) {
	probe := registry.Plugin{Name: "hostname", Doc: "The plugin's options.", Client: registry.For(
		func(o clientOptions) (_ registry.Client, err error) {
			if c, err = o.race(); err != nil {
				return nil, err
			}
			return newClient(o)
		})}
	if _, err := registry.Must(registry.New(probe)).NewClient("hostname:host.example:443" + options); err != nil {
		t.Fatal(err)
	}
	return c
}

// recorder runs one session after the other.
type recorder struct {
	network
	mu    sync.Mutex
	begun time.Time
	session
}

func (r *recorder) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun, r.session = time.Now(), session{}
}

func (r *recorder) now() time.Duration { return time.Since(r.begun).Round(ms) }

func (r *recorder) LookupNetIP(ctx context.Context, network, _ string) ([]netip.Addr, error) {
	r.mu.Lock()
	r.asked = append(r.asked, network)
	r.mu.Unlock()
	reply := r.a
	if network == "ip6" {
		reply = r.aaaa
	}
	if err := wait(ctx, reply.after, reply.never); err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, a := range reply.addrs {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	return addrs, reply.err
}

// wait takes a nanosecond at least: time passes only when all else has come to rest, so that nothing depends on which
// goroutine is the faster one.
func wait(ctx context.Context, d time.Duration, never bool) error {
	if never {
		<-ctx.Done()
		return ctx.Err()
	}
	timer := time.NewTimer(max(d, time.Nanosecond))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *recorder) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	addr := to.Addr().String()
	r.mu.Lock()
	r.attempts = append(r.attempts, attempt{addr, r.now()})
	p, ok := r.paths[addr]
	r.mu.Unlock()
	if err := wait(ctx, p.after, !ok); err != nil {
		return nil, err
	}
	if p.err != nil {
		return nil, p.err
	}
	return &fakeConn{to: to, mute: p.mute, closed: make(chan struct{})}, nil
}

// source gives each family one source address, so that only the order of the answer and the families count.
func source(_ context.Context, dst netip.Addr) happyeyeballs.Source {
	if dst.Is4() {
		return happyeyeballs.Source{Addr: netip.MustParseAddr("192.0.2.200")}
	}
	return happyeyeballs.Source{Addr: netip.MustParseAddr("2001:db8::200")}
}

type fakeConn struct {
	net.Conn
	to     netip.AddrPort
	mute   bool
	once   sync.Once
	closed chan struct{}
}

func (c *fakeConn) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (c *fakeConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.to) }

func (c *fakeConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// greeting is a handshake that is over when the peer has said something.
func greeting(_ context.Context, conn net.Conn) (net.Conn, error) {
	if c := conn.(*fakeConn); c.mute {
		<-c.closed
		return nil, net.ErrClosed
	}
	return conn, nil
}

// families tells of each address whether it is "6" or "4".
func families(addrs []string) []string {
	var out []string
	for _, a := range addrs {
		f := "6"
		if netip.MustParseAddr(a).Is4() {
			f = "4"
		}
		out = append(out, f)
	}
	return out
}

// count returns how many different addresses of the family were tried.
func count(addrs []string, family string) (n int) {
	slices.Sort(addrs)
	for _, f := range families(slices.Compact(addrs)) {
		if f == family {
			n++
		}
	}
	return n
}
