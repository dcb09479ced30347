package tcpsock_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/trace"
)

func dialSpec() tcpsock.DialSpec {
	return tcpsock.DialSpec{Layer: "test", Timeout: patience, Options: sockopt.DefaultDial()}
}

func port(ln net.Listener) uint16 { return uint16(ln.Addr().(*net.TCPAddr).Port) }

func TestTheServersNameIsItsAddressWithoutZone(t *testing.T) {
	for remote, want := range map[string]string{"192.0.2.1:443": "192.0.2.1", "[fe80::1%eth0]:443": "fe80::1"} {
		if got := tcpsock.NewClient(dialSpec(), netip.MustParseAddrPort(remote)).ServerName(); got != want {
			t.Errorf("%s: %q, want %q", remote, got, want)
		}
	}
}

func TestDialConnectsFromTheLocalAddress(t *testing.T) {
	needIPv6(t)
	free := listen(t, listenSpec("127.0.0.1:0"))
	localPort := port(free)
	_ = free.Close()
	tests := []struct {
		name  string
		to    string
		local netip.Addr
		port  uint16
	}{
		{"any, IPv4", "127.0.0.1:0", netip.Addr{}, 0},
		{"any, IPv6", "[::1]:0", netip.Addr{}, 0},
		{"an address", "127.0.0.1:0", netip.MustParseAddr("127.0.0.1"), 0},
		{"an IPv6 address", "[::1]:0", netip.MustParseAddr("::1"), 0},
		{"a port", "127.0.0.1:0", netip.Addr{}, localPort},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ln := listen(t, listenSpec(tt.to))
			s := dialSpec()
			s.LocalAddr, s.LocalPort = tt.local, tt.port
			c, err := tcpsock.NewDialer(s).Dial(t.Context(), ln.Addr().(*net.TCPAddr).AddrPort())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			got := c.LocalAddr().(*net.TCPAddr).AddrPort()
			if tt.local.IsValid() && got.Addr() != tt.local || tt.port != 0 && got.Port() != tt.port {
				t.Errorf("local address is %v", got)
			}
			speak(t, c, ln)
		})
	}
}

// speak accepts from ln and sends a word from c to there and back.
func speak(t *testing.T, c net.Conn, ln net.Listener) {
	t.Helper()
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	_ = s.SetDeadline(time.Now().Add(patience))
	_ = c.SetDeadline(time.Now().Add(patience))
	buf := make([]byte, 4)
	for _, pair := range [][2]net.Conn{{c, s}, {s, c}} {
		if _, err := pair[0].Write([]byte("word")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(pair[1], buf); err != nil || string(buf) != "word" {
			t.Fatalf("read %q, %v", buf, err)
		}
	}
}

func TestDialErrorsAreThoseOfPackageNet(t *testing.T) {
	needIPv6(t)
	closed := listen(t, listenSpec("[::1]:0"))
	refused := closed.Addr().(*net.TCPAddr).AddrPort()
	_ = closed.Close()
	local := func(a string) tcpsock.DialSpec {
		s := dialSpec()
		s.LocalAddr = netip.MustParseAddr(a)
		return s
	}
	tests := []struct {
		name string
		spec tcpsock.DialSpec
		to   netip.AddrPort
		is   error
		want string
	}{
		{"nobody listens", dialSpec(), refused, syscall.ECONNREFUSED, "dial tcp6 " + refused.String() + ": connect: " + syscall.ECONNREFUSED.Error()},
		{"a foreign local address", local("2001:db8::1"), refused, syscall.EADDRNOTAVAIL,
			"dial tcp6 [2001:db8::1]:0->" + refused.String() + ": bind: " + syscall.EADDRNOTAVAIL.Error()},
		{"an unknown zone", dialSpec(), addr("[fe80::1%nosuchif]:9"), netif.ErrNoInterface, "dial tcp6 [fe80::1%nosuchif]:9: "},
		{"an unknown local zone", local("fe80::1%nosuchif"), addr("[::1]:9"), netif.ErrNoInterface, "dial tcp6 [fe80::1%nosuchif]:0->[::1]:9: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tcpsock.NewDialer(tt.spec).Dial(t.Context(), tt.to)
			if !errors.Is(err, tt.is) || !isOpError(err, "dial") || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("err = %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestACancelledContextEndsTheDial(t *testing.T) {
	ln := listen(t, listenSpec("127.0.0.1:0"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := tcpsock.NewDialer(dialSpec()).Dial(ctx, ln.Addr().(*net.TCPAddr).AddrPort())
	if !errors.Is(err, context.Canceled) || !isOpError(err, "dial") {
		t.Errorf("err = %v", err)
	}
}

func TestTheTimeoutIsATimeoutError(t *testing.T) {
	ln := listen(t, listenSpec("127.0.0.1:0"))
	s := dialSpec()
	s.Timeout = time.Nanosecond
	_, err := tcpsock.NewDialer(s).Dial(t.Context(), ln.Addr().(*net.TCPAddr).AddrPort())
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() || !isOpError(err, "dial") {
		t.Errorf("err = %v", err)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is not context.DeadlineExceeded", err)
	}
}

func TestTheTimeoutBoundsTheDialOnly(t *testing.T) {
	ln := listen(t, listenSpec("127.0.0.1:0"))
	ctx, cancel := context.WithCancel(t.Context())
	c, err := tcpsock.NewDialer(dialSpec()).Dial(ctx, ln.Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	cancel()
	speak(t, c, ln)
}

func TestOptionsReachTheConnection(t *testing.T) {
	ln := listen(t, listenSpec("127.0.0.1:0"))
	s := dialSpec()
	s.Options.NoDelay, s.Options.KeepAlive = false, false
	c, err := tcpsock.NewDialer(s).Dial(t.Context(), ln.Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if got := setting(c, "nodelay") + " " + setting(c, "keepAlive"); got != "no no" && got != "(not told) (not told)" {
		t.Errorf("nodelay and keepAlive are %s", got)
	}
}

func TestAttemptsAreTold(t *testing.T) {
	ln := listen(t, listenSpec("127.0.0.1:0"))
	remote := ln.Addr().(*net.TCPAddr).AddrPort()
	var events []trace.Event
	ctx := trace.With(t.Context(), func(e trace.Event) { events = append(events, e) })
	d := tcpsock.NewDialer(dialSpec())
	c, err := d.Dial(ctx, remote)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	_ = ln.Close()
	_, failed := d.Dial(ctx, remote)
	if failed == nil || len(events) != 4 {
		t.Fatalf("%v, %d events", failed, len(events))
	}
	for i, e := range events {
		kind := []trace.Kind{trace.AttemptStart, trace.AttemptDone}[i%2]
		if e.Kind != kind || e.ID != events[i/2*2].ID || e.Layer != "test" || e.Network != "tcp4" || e.Remote.String() != remote.String() {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	if events[1].Local.String() != c.LocalAddr().String() || events[1].Err != nil {
		t.Errorf("done: %+v", events[1])
	}
	if events[3].Local != nil || events[3].Err != failed {
		t.Errorf("failed: %+v", events[3])
	}
	if _, err := d.Attempt(ctx, remote); err == nil || len(events) != 4 {
		t.Errorf("Attempt: %v, %d events", err, len(events))
	}
}

func TestManyDialsOfOneSpecAtOnce(t *testing.T) {
	ln := listen(t, listenSpec("127.0.0.1:0"))
	s := dialSpec()
	s.LocalAddr = netip.MustParseAddr("127.0.0.1")
	d := tcpsock.NewDialer(s)
	done := make(chan error)
	const n = 20
	for range n {
		go func() {
			c, err := d.Dial(t.Context(), ln.Addr().(*net.TCPAddr).AddrPort())
			if err == nil {
				err = c.Close()
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
