package multicast_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/multicast"
	"github.com/epctl/endpoint/trace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait. Nothing passes sooner or later because of it.
const patience = 20 * time.Second

// families are a group of each, and one that reaches farther than a link.
var families = map[string]struct{ near, far string }{
	"IPv4": {"224.0.0.200", "239.1.2.3"},
	"IPv6": {"ff02::4242", "ff15::4242"},
}

func forFamilies(t *testing.T, f func(t *testing.T, near, far string)) {
	for name, groups := range families {
		t.Run(name, func(t *testing.T) { f(t, groups.near, groups.far) })
	}
}

// A conn is a multicast.Conn, and what was told about it.
type conn struct {
	*multicast.Conn
	news chan struct{}

	mu     sync.Mutex
	events []trace.Event
}

func (c *conn) tell(e trace.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// details returns what was told of changes since the last call.
func (c *conn) details() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, e := range c.events {
		if e.Kind == trace.Changed || e.Kind == trace.Warning {
			list = append(list, e.Detail)
		}
	}
	c.events = nil
	return list
}

// await waits until ok is true after something was told.
func (c *conn) await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for !ok() {
		select {
		case <-c.news:
		case <-timeout:
			t.Fatalf("not in %v: %s; %v", patience, what, c.Groups())
		}
	}
}

// on returns the names of the interfaces on which the group is joined.
func (c *conn) on(group string) []string {
	var names []string
	for _, m := range c.Groups() {
		if m.Group == netip.MustParseAddr(group) && !slices.Contains(names, m.Interface) {
			names = append(names, m.Interface)
		}
	}
	slices.Sort(names)
	return names
}

func (c *conn) awaitOn(t testing.TB, group string, want ...string) {
	t.Helper()
	c.await(t, fmt.Sprintf("%s on %q", group, want), func() bool { return slices.Equal(c.on(group), want) })
}

// open builds a description in both roles and uses the one that server says, in the namespace.
func open(ns *testenv.Netns, s string, server bool) (*conn, error) {
	c := &conn{news: make(chan struct{}, 1)}
	ctx, cancel := context.WithTimeout(trace.With(context.Background(), c.tell), patience)
	defer cancel()
	use := func() error { return c.open(ctx, s, server) }
	var err error
	if ns == nil {
		err = use()
	} else {
		ns.Do(func() { err = use() })
	}
	return c, err
}

func (c *conn) open(ctx context.Context, s string, server bool) error {
	if server {
		endpoint, err := plugins.NewPacketServer(s)
		if err != nil {
			return err
		}
		p, err := endpoint.ListenPacket(ctx)
		if err == nil {
			c.Conn = p.(*multicast.Conn)
		}
		return err
	}
	endpoint, err := plugins.NewPacketClient(s)
	if err != nil {
		return err
	}
	p, err := endpoint.DialPacket(ctx)
	if err == nil {
		c.Conn = p.(*multicast.Conn)
	}
	return err
}

func opened(t testing.TB, ns *testenv.Netns, s string, server bool) *conn {
	t.Helper()
	c, err := open(ns, s, server)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// listen and dial put the parts into a description, colons of addresses in brackets.
func listen(t testing.TB, ns *testenv.Netns, format string, parts ...any) *conn {
	t.Helper()
	return opened(t, ns, describe(format, parts...), true)
}

func dial(t testing.TB, ns *testenv.Netns, format string, parts ...any) *conn {
	t.Helper()
	return opened(t, ns, describe(format, parts...), false)
}

func describe(format string, parts ...any) string {
	for n, part := range parts {
		if text, ok := part.(string); ok && strings.Contains(text, ":") {
			parts[n] = "[" + text + "]"
		}
	}
	return fmt.Sprintf(format, parts...)
}

func (c *conn) say(t testing.TB, text string) {
	t.Helper()
	if err := whenReady(func() error { _, err := c.Write([]byte(text)); return err }); err != nil {
		t.Errorf("say %q: %v", text, err)
	}
}

func (c *conn) answer(t testing.TB, text string, to multicast.Addr) {
	t.Helper()
	if err := whenReady(func() error { _, err := c.WriteTo([]byte(text), to); return err }); err != nil {
		t.Errorf("answer %q: %v", text, err)
	}
}

// whenReady repeats a write while the kernel brings up IPv6 on an interface, which it does after it has brought up the
// interface itself.
func whenReady(write func() error) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		err := write()
		unready := errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL)
		if !unready || time.Now().After(deadline) {
			return err
		}
	}
}

func (c *conn) hear(t testing.TB) (string, multicast.Addr) {
	t.Helper()
	buf := make([]byte, 1500)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	n, addr, err := c.ReadFromAddr(buf)
	if err != nil {
		t.Errorf("hear: %v", err)
	}
	return string(buf[:n]), addr
}

// wantHears reads as many datagrams as are wanted, in any order.
func (c *conn) wantHears(t testing.TB, want ...string) {
	t.Helper()
	var got []string
	for range want {
		text, _ := c.hear(t)
		got = append(got, text)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
}

// wantSilence checks that nothing more is in the queue.
func (c *conn) wantSilence(t testing.TB) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	n, addr, err := c.ReadFromAddr(make([]byte, 1500))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("heard %d bytes of %v (%v)", n, addr, err)
	}
}

// pair is two hosts on n links, interfaces r0, r1, … of the first and s0, s1, … of the second.
func pair(t testing.TB, n int) (r, s *testenv.Netns) {
	t.Helper()
	r, s = testenv.NewNetns(t), testenv.NewNetns(t)
	for i := range n {
		link(r, s, i)
	}
	return r, s
}

// link makes link number i of a pair, with the addresses 192.0.2.1, 198.51.100.1 or 203.0.113.1 and 2001:db8:i::1 for
// r, and those with 2 at the end for s.
func link(r, s *testenv.Netns, i int) {
	ri, si := fmt.Sprintf("r%d", i), fmt.Sprintf("s%d", i)
	r.Veth(ri, s, si)
	for n, end := range []struct {
		ns   *testenv.Netns
		name string
	}{{r, ri}, {s, si}} {
		end.ns.IP(fmt.Sprintf("addr add %s.%d/24 dev %s", []string{"192.0.2", "198.51.100", "203.0.113"}[i], n+1, end.name))
		end.ns.IP(fmt.Sprintf("addr add 2001:db8:%d::%d/64 dev %s nodad", i, n+1, end.name))
	}
}
