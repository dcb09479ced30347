package tcpsock_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/trace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func listenSpec(address string) tcpsock.ListenSpec {
	return tcpsock.ListenSpec{Layer: "test", Addr: addr(address), Backlog: 50, Options: sockopt.DefaultListen()}
}

func listen(t testing.TB, s tcpsock.ListenSpec) *net.TCPListener {
	t.Helper()
	ln, err := tcpsock.NewListener(s).Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	_ = ln.SetDeadline(time.Now().Add(patience))
	return ln
}

func needIPv6(t testing.TB) {
	ln, err := net.Listen("tcp6", "[::1]:0")
	testenv.Need(t, err == nil, "IPv6 on the loopback interface")
	_ = ln.Close()
}

// setting returns what the kernel has for an option.
func setting(c syscall.Conn, name string) string {
	for _, s := range sockopt.Read(c) {
		if s.Name == name {
			return s.Value
		}
	}
	return "(not told)"
}

// LI-07
func TestOneFamilyMeansOneFamily(t *testing.T) {
	needIPv6(t)
	tests := []struct {
		address string
		dual    bool
		v6only  string // "(not told)" for a socket of AF_INET
		is      string
	}{
		{"0.0.0.0:0", false, "(not told)", "0.0.0.0"},
		{"127.0.0.1:0", false, "(not told)", "127.0.0.1"},
		{"[::]:0", false, "yes", "::"},
		{"[::1]:0", false, "yes", "::1"},
		{"[::]:0", true, "no", "::"},
	}
	for _, tt := range tests {
		s := listenSpec(tt.address)
		s.DualStack = tt.dual
		ln := listen(t, s)
		if got := setting(ln, "v6only"); got != tt.v6only {
			t.Errorf("%s, dual %v: v6only is %s, want %s", tt.address, tt.dual, got, tt.v6only)
		}
		if got := ln.Addr().(*net.TCPAddr).IP.String(); got != tt.is {
			t.Errorf("%s, dual %v: Addr is %v", tt.address, tt.dual, ln.Addr())
		}
	}
}

// LI-07
func TestBothFamiliesCanHaveOnePort(t *testing.T) {
	needIPv6(t)
	for range 16 { // the port may be somebody else's in the other family
		six := listen(t, listenSpec("[::]:0"))
		port := six.Addr().(*net.TCPAddr).Port
		four, err := tcpsock.NewListener(listenSpec("0.0.0.0:" + strconv.Itoa(port))).Listen(t.Context())
		if err == nil {
			_ = four.Close()
			return
		}
		t.Log(err)
	}
	t.Error("tcp6 and tcp4 never had one port")
}

func TestADualStackTakesTheWholePort(t *testing.T) {
	needIPv6(t)
	s := listenSpec("[::]:0")
	s.DualStack = true
	ln := listen(t, s)
	port := ln.Addr().(*net.TCPAddr).Port
	c, err := tcpsock.NewDialer(dialSpec()).Dial(t.Context(), addr("127.0.0.1:"+strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	_, err = tcpsock.NewListener(listenSpec("0.0.0.0:" + strconv.Itoa(port))).Listen(t.Context())
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second listener on IPv4: %v", err)
	}
}

func TestTheListenerOutlivesItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ln, err := tcpsock.NewListener(listenSpec("127.0.0.1:0")).Listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	cancel()
	_ = ln.SetDeadline(time.Now().Add(patience))
	connect(t, ln)
	if _, err := tcpsock.NewListener(listenSpec("127.0.0.1:0")).Listen(ctx); !errors.Is(err, context.Canceled) || !isOpError(err, "listen") {
		t.Errorf("Listen on a cancelled context: %v", err)
	}
}

// connect dials ln and accepts.
func connect(t *testing.T, ln *net.TCPListener) {
	t.Helper()
	c, err := net.DialTimeout("tcp", ln.Addr().String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
}

func isOpError(err error, op string) bool {
	var o *net.OpError
	return errors.As(err, &o) && o.Op == op && o.Addr != nil
}

func TestListenErrors(t *testing.T) {
	needIPv6(t)
	taken := listen(t, listenSpec("127.0.0.1:0")).Addr().String()
	tests := []struct {
		name string
		spec tcpsock.ListenSpec
		is   error
		want string // of the whole error, "" for any
	}{
		{"taken", listenSpec(taken), syscall.EADDRINUSE, "listen tcp4 " + taken + ": bind: " + syscall.EADDRINUSE.Error()},
		{"not ours", listenSpec("[2001:db8::1]:0"), syscall.EADDRNOTAVAIL, "listen tcp6 [2001:db8::1]:0: bind: " + syscall.EADDRNOTAVAIL.Error()},
		{"unknown zone", listenSpec("[fe80::1%nosuchif]:80"), netif.ErrNoInterface, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ln, err := tcpsock.NewListener(tt.spec).Listen(t.Context())
			if err == nil {
				_ = ln.Close()
			}
			if !errors.Is(err, tt.is) || !isOpError(err, "listen") || tt.want != "" && err.Error() != tt.want {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestListeningIsTold(t *testing.T) {
	var events []trace.Event
	ctx := trace.With(t.Context(), func(e trace.Event) { events = append(events, e) })
	listener := tcpsock.NewListener(listenSpec("127.0.0.1:0"))
	ln, err := listener.Listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	_, err = tcpsock.NewListener(listenSpec(ln.Addr().String())).Listen(ctx)
	if err == nil || len(events) < 2 {
		t.Fatalf("err = %v, events %v", err, events)
	}
	first, last := events[0], events[len(events)-1]
	if first.Kind != trace.Listening || first.Layer != "test" || first.Network != "tcp4" || first.Local.String() != ln.Addr().String() || first.Err != nil || first.Time.IsZero() {
		t.Errorf("event %+v", first)
	}
	if last.Kind != trace.Listening || last.Err != err || last.Local.String() != ln.Addr().String() {
		t.Errorf("event %+v of %v", last, err)
	}
}

func TestManyListenersOfOneSpecAtOnce(t *testing.T) {
	l := tcpsock.NewListener(listenSpec("127.0.0.1:0"))
	done := make(chan error)
	const n = 20
	for range n {
		go func() {
			ln, err := l.Listen(t.Context())
			if err == nil {
				err = ln.Close()
			}
			done <- err
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
