package happyeyeballs

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
)

const (
	live4   = "192.0.2.2"
	closed4 = "192.0.2.3" // on the server, where port 443 is closed
)

// lab is a client's and a server's namespace, joined by a cable. The server listens on port 443 of some addresses; it never
// reads or writes.
func lab(t *testing.T) (client *testenv.Netns) {
	client, server := testenv.NewNetns(t), testenv.NewNetns(t)
	testenv.Tool(t, "nft")
	client.Veth("c", server, "s")
	for _, a := range []string{"192.0.2.1/24", "2001:db8:1::1/64 nodad"} {
		client.IP("addr add " + a + " dev c")
	}
	for _, a := range []string{"192.0.2.2/24", "192.0.2.3/24", "2001:db8:1::2/64 nodad", "2001:db8:1::d/64 nodad"} {
		server.IP("addr add " + a + " dev s")
	}
	for _, kind := range []string{"unreachable 2001:db8:2::1", "blackhole 2001:db8:2::2", "prohibit 2001:db8:2::3"} {
		client.IP("-6 route add " + kind)
	}
	rules := server.Command("nft", "-f", "-")
	rules.Stdin = strings.NewReader("table inet f {\nchain c {\ntype filter hook input priority 0\nip6 daddr 2001:db8:1::d drop\n}\n}\n")
	if out, err := rules.CombinedOutput(); err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
	for _, a := range []string{"192.0.2.2:443", "[2001:db8:1::2]:443"} {
		var l net.Listener
		var err error
		server.Do(func() { l, err = net.Listen("tcp", a) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
	}
	return client
}

// engineIn makes an engine whose sockets are in the namespace; all else is as by default.
func engineIn(t *testing.T, ns *testenv.Netns, r Resolver) *Engine {
	connect, source := dialer("tcp", nil), ConnectedSource(nil, nil)
	e, err := New(Config{
		Resolver: r, Timeout: 20 * time.Second,
		Dial: func(ctx context.Context, addr netip.AddrPort) (conn net.Conn, err error) {
			ns.Do(func() { conn, err = connect(ctx, addr) })
			return conn, err
		},
		Source: func(ctx context.Context, dst netip.Addr) (src Source) {
			ns.Do(func() { src = source(ctx, dst) })
			return src
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// HE-05, HE-06, HE-08, HE-11: dead IPv6 addresses of every kind that a kernel knows, before a live IPv4 one.
func TestDeadAddresses(t *testing.T) {
	client := lab(t)
	tests := []struct {
		name, addr string
		routed     bool  // there is a source address for it: it goes before IPv4
		cause      error // of the attempt, where the kernel tells it at once
	}{
		{"no listener", "2001:db8:1::1", true, syscall.ECONNREFUSED},
		{"dropped", "2001:db8:1::d", true, nil},
		{"no neighbour", "2001:db8:1::99", true, nil},
		{"unreachable", "2001:db8:2::1", false, syscall.EHOSTUNREACH},
		{"blackhole", "2001:db8:2::2", false, syscall.EINVAL},
		{"prohibited", "2001:db8:2::3", false, syscall.EACCES},
		{"no route", "2001:db8:3::1", false, syscall.ENETUNREACH},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			e := engineIn(t, client, fixed{addrList(tt.addr), addrList(live4)})
			order := must(e.Resolve(ctx, "host.example", 443))
			first, second := order[0].Addr.String(), order[1]
			if tt.routed != (first == tt.addr) || tt.routed == (second.Rule == RuleUnusable) {
				t.Errorf("order %v", order)
			}
			conn, err := e.Dial(ctx, "host.example", 443)
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
			if remote(conn) != live4 {
				t.Errorf("connected to %v", conn.RemoteAddr())
			}
			if tt.cause == nil {
				return
			}
			e = engineIn(t, client, fixed{addrList(tt.addr), addrList(closed4)})
			_, err = e.Dial(ctx, "host.example", 443)
			if !errors.Is(err, tt.cause) || !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%v", err)
			}
		})
	}
}

// HE-08: the IPv6 address accepts and keeps silent; so does the live one, of which the handshake asks nothing.
func TestSilentAddress(t *testing.T) {
	client := lab(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	e := engineIn(t, client, fixed{addrList("2001:db8:1::2"), addrList(live4)})
	conn, err := e.DialThrough(ctx, "host.example", 443, func(_ context.Context, conn net.Conn) (net.Conn, error) {
		if remote(conn) == live4 {
			return conn, nil
		}
		_, err := conn.Read(make([]byte, 1))
		return conn, err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if remote(conn) != live4 {
		t.Errorf("connected to %v", conn.RemoteAddr())
	}
	// A second dial starts with the address that worked.
	again, err := e.Dial(ctx, "host.example", 443)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
	if remote(again) != live4 {
		t.Errorf("the second time: %v", again.RemoteAddr())
	}
}
