package alliface

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/netif"
)

// A fakeListener has connections that wait, and errors that come before them.
type fakeListener struct {
	addr   *net.TCPAddr
	conns  chan net.Conn
	errs   chan error
	closed chan struct{}
	close  sync.Once
	failed atomic.Int32
}

func (f *fakeListener) Accept() (net.Conn, error) {
	select {
	case <-f.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case err := <-f.errs:
		f.failed.Add(1)
		return nil, err
	default:
	}
	select {
	case c := <-f.conns:
		return c, nil
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

func (f *fakeListener) Close() error {
	f.close.Do(func() { close(f.closed) })
	return nil
}

func (f *fakeListener) Addr() net.Addr { return f.addr }

// A fakeConn is one that came in on an address.
type fakeConn struct {
	net.Conn
	local, remote *net.TCPAddr
	closed        atomic.Bool
}

func (c *fakeConn) LocalAddr() net.Addr  { return c.local }
func (c *fakeConn) RemoteAddr() net.Addr { return c.remote }
func (c *fakeConn) Close() error         { c.closed.Store(true); return nil }

// A crowd is a listener with fake sockets on the addresses of a fake system.
type crowd struct {
	*Listener
	source  *fakeSource
	log     *log
	sockets map[string]*fakeListener
}

func newCrowd(t *testing.T, list ...netif.Interface) *crowd {
	c := &crowd{
		Listener: &Listener{conns: make(chan net.Conn)}, source: newFakeSource(list...), log: &log{},
		sockets: make(map[string]*fakeListener),
	}
	c.set = newSet(everywhere(80), "tcp", c.log.trace, func(to Target, port uint16) (socket, error) {
		ln := &fakeListener{
			addr:  net.TCPAddrFromAddrPort(netip.AddrPortFrom(to.Addr, port)),
			conns: make(chan net.Conn, 1000), errs: make(chan error, 1000), closed: make(chan struct{}),
		}
		c.sockets[to.Addr.WithZone("").String()] = ln
		return newStreamSocket(c.Listener, ln), nil
	})
	c.set.source, c.set.now = c.source, c.source.Snapshot()
	if err := c.set.start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	synctest.Wait()
	return c
}

// connect lets n connections wait on an address.
func (c *crowd) connect(addr string, n int) (list []*fakeConn) {
	ln := c.sockets[addr]
	for range n {
		conn := &fakeConn{local: &net.TCPAddr{IP: ln.addr.IP, Port: 80, Zone: "old"}, remote: &net.TCPAddr{IP: ln.addr.IP, Zone: "old"}}
		ln.conns <- conn
		list = append(list, conn)
	}
	synctest.Wait()
	return list
}

// accept returns where the next n connections came in on.
func (c *crowd) accept(t *testing.T, n int) string {
	t.Helper()
	var from []string
	for range n {
		conn, err := c.Accept()
		if err != nil {
			t.Fatal(err)
		}
		from = append(from, conn.LocalAddr().(*net.TCPAddr).IP.String())
		synctest.Wait()
	}
	return strings.Join(from, " ")
}

// A socket with many connections takes turns with one that has few.
func TestAcceptIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, eth(2, "eth0", "10.0.0.1", "10.0.0.2", "10.0.0.3"))
		c.connect("10.0.0.1", 500)
		c.connect("10.0.0.2", 3)
		c.connect("10.0.0.3", 2)
		want := "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.1 10.0.0.2 10.0.0.1 10.0.0.1"
		if got := c.accept(t, 10); got != want {
			t.Errorf("accepted from %s, want %s", got, want)
		}
		c.connect("10.0.0.3", 1)
		if got := c.accept(t, 2); got != "10.0.0.1 10.0.0.3" {
			t.Errorf("a late one waits behind others: %s", got)
		}
	})
}

// LI-01: nothing but Close ends Accept.
func TestAcceptSurvivesFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, eth(2, "eth0", "10.0.0.1", "10.0.0.2"))
		c.log.lines()
		starved := c.sockets["10.0.0.1"]
		for range 4 {
			for _, errno := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ECONNABORTED, syscall.EPERM} {
				starved.errs <- &net.OpError{Op: "accept", Net: "tcp", Err: errno}
			}
		}
		c.connect("10.0.0.1", 2) // the socket waits for a connection already, and fails after the first
		if got := c.accept(t, 1); got != "10.0.0.1" {
			t.Fatalf("accepted from %s", got)
		}
		start := time.Now()
		c.connect("10.0.0.2", 1)
		if got := c.accept(t, 1); got != "10.0.0.2" || time.Since(start) != 0 {
			t.Errorf("another socket has to wait: accepted from %s after %s", got, time.Since(start))
		}
		if got := c.accept(t, 1); got != "10.0.0.1" || starved.failed.Load() != 20 {
			t.Errorf("accepted from %s after %d failures", got, starved.failed.Load())
		}
		// 5 ms and twice as long each time: eight tries in the first 1.3 s, then one a second.
		if d := time.Since(start); d < 12*time.Second || d > 14*time.Second {
			t.Errorf("20 failures take %s", d)
		}
		lines := c.log.lines()
		if len(lines) != 2 || lines[0] != "warning tcp4 10.0.0.1:80: accepting on 10.0.0.1 (eth0) failed 1 times, next try in 5ms: accept tcp: too many open files" {
			t.Errorf("told %q", lines)
		}
	})
}

// LI-05
func TestCloseEndsAcceptAndWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, eth(2, "eth0", "10.0.0.1", "10.0.0.2"))
		result := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := c.Accept()
				result <- err
			}()
		}
		synctest.Wait()
		for range 2 {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		for range 2 {
			if err := <-result; !errors.Is(err, net.ErrClosed) || err.Error() != "accept tcp 0.0.0.0:80: use of closed network connection" {
				t.Errorf("Accept ends with %v", err)
			}
		}
		if addrs := c.Addrs(); len(addrs) != 0 {
			t.Errorf("after Close it listens on %v", addrs)
		}
		if _, ok := <-c.Changes(); ok {
			t.Error("the channel of changes is open")
		}
	})
}

// LI-05: a connection that was accepted for nobody is closed, with the listener or with its address.
func TestAConnectionThatNobodyAcceptsIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, eth(2, "eth0", "10.0.0.1", "10.0.0.2"))
		first, second := c.connect("10.0.0.1", 1)[0], c.connect("10.0.0.2", 1)[0]
		c.source.put(eth(2, "eth0", "10.0.0.2"))
		synctest.Wait()
		if !first.closed.Load() || second.closed.Load() {
			t.Errorf("the address goes: its connection is closed %v, the other %v", first.closed.Load(), second.closed.Load())
		}
		_ = c.Close()
		if !second.closed.Load() {
			t.Error("the listener is closed: its connection is not")
		}
	})
}

// LI-05: also one that rests because accepting fails.
func TestCloseDoesNotWaitForARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, eth(2, "eth0", "10.0.0.1"))
		for range 100 {
			c.sockets["10.0.0.1"].errs <- syscall.EMFILE
		}
		c.connect("10.0.0.1", 1)
		c.accept(t, 1)
		time.Sleep(10*time.Second + time.Millisecond)
		start := time.Now()
		_ = c.Close()
		if d := time.Since(start); d != 0 {
			t.Errorf("Close takes %s", d)
		}
	})
}

// LI-15: package net may know an older name.
func TestLinkLocalConnectionsHaveTheNameOfTheInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, eth(2, "eth0", "fe80::1", "2001:db8::1"))
		zones := func(addr string) []string {
			conn := c.connect(addr, 1)[0]
			c.accept(t, 1)
			return []string{conn.local.Zone, conn.remote.Zone}
		}
		if got := zones("fe80::1"); !slices.Equal(got, []string{"eth0", "eth0"}) {
			t.Errorf("the zones are %q", got)
		}
		c.source.put(eth(2, "wan", "fe80::1", "2001:db8::1"))
		synctest.Wait()
		if got := zones("fe80::1"); !slices.Equal(got, []string{"wan", "wan"}) {
			t.Errorf("after the interface was renamed, the zones are %q", got)
		}
	})
}
