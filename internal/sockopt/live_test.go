package sockopt_test

import (
	"context"
	"errors"
	"github.com/epctl/endpoint/internal/testenv"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/sockopt"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// listen listens on a free loopback port of the network with the options.
func listen(t *testing.T, o sockopt.Listen, network string) *net.TCPListener {
	t.Helper()
	config := o.Config()
	ln, err := config.Listen(t.Context(), network, map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0"}[network])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln.(*net.TCPListener)
}

// dial connects to ln with the options.
func dial(t *testing.T, o sockopt.Dial, ln net.Listener) *net.TCPConn {
	t.Helper()
	dialer := o.Dialer()
	dialer.Timeout = patience
	network := "tcp6"
	if ln.Addr().(*net.TCPAddr).IP.To4() != nil {
		network = "tcp4"
	}
	c, err := dialer.Dial(network, ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := o.Connected(c.(*net.TCPConn)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

func accept(t *testing.T, ln *net.TCPListener) *net.TCPConn {
	t.Helper()
	_ = ln.SetDeadline(time.Now().Add(patience))
	c, err := ln.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// expect compares what the kernel has with some settings, written as name=value.
func expect(t *testing.T, c syscall.Conn, want ...string) {
	t.Helper()
	got := map[string]string{}
	for _, s := range sockopt.Read(c) {
		if _, twice := got[s.Name]; twice {
			t.Errorf("%s is there twice", s.Name)
		}
		got[s.Name] = s.Value
	}
	for _, w := range want {
		name, value, _ := strings.Cut(w, "=")
		if have, ok := got[name]; !ok || have != value {
			t.Errorf("%s is %q (there: %v), want %q", name, have, ok, value)
		}
	}
}

func TestDefaultsAreThoseOfPackageNet(t *testing.T) {
	ln := listen(t, sockopt.DefaultListen(), "tcp4")
	client, server := dial(t, sockopt.DefaultDial(), ln), accept(t, ln)
	for _, c := range []*net.TCPConn{client, server} {
		expect(t, c, "nodelay=yes", "keepAlive=yes", "keepAliveIdle=15s", "keepAliveInterval=15s", "keepAliveCount=9", "mptcp=no")
	}
}

func TestKeepAliveAndNoDelay(t *testing.T) {
	listenOptions, dialOptions := sockopt.DefaultListen(), sockopt.DefaultDial()
	listenOptions.KeepAliveIdle, listenOptions.KeepAliveInterval, listenOptions.KeepAliveCount = 100*time.Second, 1500*time.Millisecond, 3
	dialOptions.KeepAliveIdle, dialOptions.KeepAliveInterval, dialOptions.KeepAliveCount = 7*time.Second, 8*time.Second, 2
	dialOptions.NoDelay = false
	ln := listen(t, listenOptions, "tcp4")
	client, server := dial(t, dialOptions, ln), accept(t, ln)
	expect(t, client, "keepAlive=yes", "keepAliveIdle=7s", "keepAliveInterval=8s", "keepAliveCount=2", "nodelay=no")
	expect(t, server, "keepAlive=yes", "keepAliveIdle=1m40s", "keepAliveInterval=2s", "keepAliveCount=3", "nodelay=yes")

	listenOptions.KeepAlive, dialOptions.KeepAlive = false, false
	ln = listen(t, listenOptions, "tcp4")
	client, server = dial(t, dialOptions, ln), accept(t, ln)
	expect(t, client, "keepAlive=no")
	expect(t, server, "keepAlive=no")
}

// LI-09
func TestAnAddressIsNotSharedUnlessBothAsk(t *testing.T) {
	alone := listen(t, sockopt.DefaultListen(), "tcp4")
	shared := sockopt.DefaultListen()
	shared.ReusePort = true
	for _, o := range []sockopt.Listen{sockopt.DefaultListen(), shared} {
		config := o.Config()
		if ln, err := config.Listen(t.Context(), "tcp4", alone.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("second bind with reusePort=%v: %v, want EADDRINUSE", o.ReusePort, err)
			if err == nil {
				_ = ln.Close()
			}
		}
	}
}

func TestReadOfAClosedSocketIsEmpty(t *testing.T) {
	ln := listen(t, sockopt.DefaultListen(), "tcp4")
	_ = ln.Close()
	if list := sockopt.Read(ln); len(list) != 0 {
		t.Errorf("Read = %v", list)
	}
}

func TestDualStack(t *testing.T) {
	config := sockopt.DefaultListen().Config()
	config.Control = func(_, _ string, c syscall.RawConn) error { return sockopt.SetDualStack(c) }
	ln, err := config.Listen(context.Background(), "tcp6", "[::]:0")
	testenv.Need(t, err == nil, "sockets for both families")
	defer func() { _ = ln.Close() }()
	expect(t, ln.(*net.TCPListener), "v6only=no")
}

func TestAFailedControlIsAnError(t *testing.T) {
	o := sockopt.Packet{Common: sockopt.Common{RcvBuf: ptr(4096)}}
	if err := o.Control()("udp4", "", closedRawConn{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("err = %v, want that of RawConn.Control", err)
	}
}

type closedRawConn struct{ syscall.RawConn }

func (closedRawConn) Control(func(uintptr)) error { return os.ErrClosed }
