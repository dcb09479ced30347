package udpsock_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/udpsock"
	"github.com/epctl/endpoint/trace"
)

// LI-07: one family means one family, so that both can have one port.
func TestBothFamiliesCanHaveOnePort(t *testing.T) {
	needIPv6(t)
	v6 := listen(t, listenSpec("[::]:0"))
	port := portOf(v6)
	v4 := listen(t, udpsock.ListenSpec{Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), port)})
	for _, tt := range []struct {
		server *net.UDPConn
		ask    string
	}{{v6, "::1"}, {v4, "127.0.0.1"}} {
		c := dial(t, dialSpec(), netip.AddrPortFrom(netip.MustParseAddr(tt.ask), port))
		if from := speak(t, c, tt.server); from != addrOf(c) {
			t.Errorf("%s: from %v", tt.ask, from)
		}
	}
}

func TestADualStackTakesBothFamilies(t *testing.T) {
	needIPv6(t)
	s := listenSpec("[::]:0")
	s.DualStack = true
	server := listen(t, s)
	for _, ask := range []string{"::1", "127.0.0.1"} {
		c := dial(t, dialSpec(), netip.AddrPortFrom(netip.MustParseAddr(ask), portOf(server)))
		from := speak(t, c, server)
		// LI-08: package net has IPv4 in IPv6 form there.
		if netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) != addrOf(c) {
			t.Errorf("%s: from %v", ask, from)
		}
	}
	_, err := udpsock.NewListener(udpsock.ListenSpec{Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), portOf(server))}).Listen(t.Context())
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the IPv4 port is free beside a dual stack: %v", err)
	}
}

func TestListenErrorsAreThoseOfPackageNet(t *testing.T) {
	needIPv6(t)
	taken := listen(t, listenSpec("127.0.0.1:0")).LocalAddr().String()
	tests := []struct {
		name, address string
		is            error
		want          string
	}{
		{"a port that is taken", taken, syscall.EADDRINUSE, "listen udp4 " + taken + ": bind: address already in use"},
		{"an address of nobody", "[2001:db8::1]:0", syscall.EADDRNOTAVAIL, "listen udp6 [2001:db8::1]:0: bind: "},
		{"a zone that is none", "[fe80::1%nowhere]:0", netif.ErrNoInterface,
			`listen udp6 [fe80::1%nowhere]:0: no such interface "nowhere" (there are: `},
	}
	for _, tt := range tests {
		_, err := udpsock.NewListener(listenSpec(tt.address)).Listen(t.Context())
		var op *net.OpError
		if !errors.Is(err, tt.is) || !errors.As(err, &op) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestListenTellsItsSocket(t *testing.T) {
	var events []trace.Event
	ctx := trace.With(t.Context(), func(e trace.Event) { events = append(events, e) })
	l := udpsock.NewListener(listenSpec("127.0.0.1:0"))
	c, err := l.Listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	s := listenSpec(c.LocalAddr().String())
	_, failed := udpsock.NewListener(s).Listen(ctx)
	if len(events) != 2 {
		t.Fatalf("events %+v", events)
	}
	for i, want := range []error{nil, failed} {
		e := events[i]
		if e.Kind != trace.Listening || e.Layer != "test" || e.Network != "udp4" || !errors.Is(e.Err, want) || e.Local.String() != c.LocalAddr().String() {
			t.Errorf("event %+v", e)
		}
	}
}

func TestADatagramWithoutDataIsNoEnd(t *testing.T) {
	server := listen(t, listenSpec("127.0.0.1:0"))
	c := dial(t, dialSpec(), addrOf(server))
	for range 2 {
		if n, err := c.Write(nil); n != 0 || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
		n, from, err := server.ReadFromUDPAddrPort(make([]byte, 10))
		if n != 0 || err != nil || from != addrOf(c) {
			t.Errorf("server read %d bytes from %v, %v", n, from, err)
		}
		if _, err := server.WriteToUDPAddrPort(nil, from); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 10)); n != 0 || err != nil {
			t.Errorf("client read %d bytes, %v", n, err)
		}
	}
	speak(t, c, server)
}

func TestCloseEndsAReadThatWaits(t *testing.T) {
	server := listen(t, listenSpec("127.0.0.1:0"))
	client := dial(t, dialSpec(), addrOf(server))
	for _, c := range []*net.UDPConn{server, client} {
		done := make(chan error)
		go func() {
			_, err := c.Read(make([]byte, 10))
			done <- err
		}()
		_ = c.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("read: %v", err)
		}
	}
}
