package udpsock_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/udpsock"
	"github.com/epctl/endpoint/trace"
)

func TestDialSendsFromTheLocalAddress(t *testing.T) {
	needIPv6(t)
	free := listen(t, listenSpec("127.0.0.1:0"))
	localPort := portOf(free)
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
		{"an address and a port", "127.0.0.1:0", netip.MustParseAddr("127.0.0.1"), localPort},
	}
	for _, tt := range tests {
		server := listen(t, listenSpec(tt.to))
		s := dialSpec()
		s.LocalAddr, s.LocalPort = tt.local, tt.port
		c := dial(t, s, addrOf(server))
		from := speak(t, c, server)
		if from != addrOf(c) || tt.local.IsValid() && from.Addr() != tt.local || tt.port != 0 && from.Port() != tt.port {
			t.Errorf("%s: from %v", tt.name, from)
		}
		_ = c.Close()
	}
}

func TestAConnectedSocketHearsItsPeerOnly(t *testing.T) {
	server, stranger := listen(t, listenSpec("127.0.0.1:0")), listen(t, listenSpec("127.0.0.1:0"))
	c := dial(t, dialSpec(), addrOf(server))
	if _, err := stranger.WriteToUDPAddrPort([]byte("psst"), addrOf(c)); err != nil {
		t.Fatal(err)
	}
	speak(t, c, server)
}

func TestDialErrorsAreThoseOfPackageNet(t *testing.T) {
	needIPv6(t)
	local := func(a string) udpsock.DialSpec {
		s := dialSpec()
		s.LocalAddr = netip.MustParseAddr(a)
		return s
	}
	tests := []struct {
		name   string
		spec   udpsock.DialSpec
		remote string
		is     error
		want   string
	}{
		{"an address of nobody", local("192.0.2.1"), "127.0.0.1:9", syscall.EADDRNOTAVAIL,
			"dial udp4 192.0.2.1:0->127.0.0.1:9: bind: "},
		{"a zone that is none", dialSpec(), "[fe80::1%nowhere]:9", netif.ErrNoInterface,
			`dial udp6 [fe80::1%nowhere]:9: no such interface "nowhere" (there are: `},
		{"a local zone that is none", local("fe80::1%nowhere"), "[::1]:9", netif.ErrNoInterface,
			`dial udp6 [fe80::1%nowhere]:0->[::1]:9: no such interface "nowhere" (there are: `},
	}
	for _, tt := range tests {
		_, err := udpsock.NewDialer(tt.spec).Dial(t.Context(), netip.MustParseAddrPort(tt.remote))
		var op *net.OpError
		if !errors.Is(err, tt.is) || !errors.As(err, &op) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestACancelledContextEndsTheCall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := udpsock.NewDialer(dialSpec()).Dial(ctx, netip.MustParseAddrPort("127.0.0.1:9")); err == nil {
		t.Error("Dial takes a context that is over")
	}
	if _, err := udpsock.NewListener(listenSpec("127.0.0.1:0")).Listen(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Listen: %v", err)
	}
}

// What the peer's host says about a datagram comes back as the system's error, once, and the socket goes on.
func TestAnICMPErrorDoesNotEndTheSocket(t *testing.T) {
	needIPv6(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		nobody := listen(t, listenSpec(address))
		remote := addrOf(nobody)
		_ = nobody.Close()
		c := dial(t, dialSpec(), remote)
		for range 3 {
			if _, err := c.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			_, err := c.Read(make([]byte, 10))
			var op *net.OpError
			if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) {
				t.Fatalf("read: %v", err)
			}
		}
		speak(t, c, listen(t, listenSpec(remote.String())))
	}
}

func TestDialTellsItsAttempt(t *testing.T) {
	server := listen(t, listenSpec("127.0.0.1:0"))
	var events []trace.Event
	ctx := trace.With(t.Context(), func(e trace.Event) { events = append(events, e) })
	c, err := udpsock.NewDialer(dialSpec()).Dial(ctx, addrOf(server))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	s := dialSpec()
	s.LocalAddr = netip.MustParseAddr("192.0.2.1")
	_, failed := udpsock.NewDialer(s).Dial(ctx, addrOf(server))
	if len(events) != 4 {
		t.Fatalf("events %v", events)
	}
	for i, e := range events {
		if e.Layer != "test" || e.Network != "udp4" || e.Remote.String() != server.LocalAddr().String() {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	if done := events[1]; done.Kind != trace.AttemptDone || done.Local.String() != c.LocalAddr().String() || done.Err != nil {
		t.Errorf("event %+v", done)
	}
	if done := events[3]; done.Kind != trace.AttemptDone || done.Local != nil || !errors.Is(done.Err, failed) {
		t.Errorf("event %+v", done)
	}
}

// The hook is called before the socket is bound and connected.
func TestOptionsAreSetOnBothSides(t *testing.T) {
	size := 20000
	options := sockopt.Packet{Common: sockopt.Common{RcvBuf: &size}}
	ls, ds := listenSpec("127.0.0.1:0"), dialSpec()
	ls.Options, ds.Options = options, options
	server := listen(t, ls)
	client := dial(t, ds, addrOf(server))
	for _, c := range []*net.UDPConn{server, client} {
		found := false
		for _, s := range sockopt.Read(c) {
			found = found || s.Name == "rcvbuf" && (s.Value == "40000" || s.Value == "20000")
		}
		if !found {
			t.Errorf("options are %v", sockopt.Read(c))
		}
	}
}
