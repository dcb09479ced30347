package packetinfo_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/testenv"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

var tellInfo = packetinfo.Options{Info: true}

// open binds a socket with the options, in the network namespace of the calling thread.
func open(network, address string, o packetinfo.Options) (*packetinfo.Conn, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { return o.Set(network, c) }}
	c, err := config.ListenPacket(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	return packetinfo.New(c.(*net.UDPConn), o)
}

func networkOf(address string) string {
	if addr, err := netip.ParseAddrPort(address); err == nil && addr.Addr().Is4() {
		return "udp4"
	}
	return "udp6"
}

func listen(tb testing.TB, address string, o packetinfo.Options) *packetinfo.Conn {
	tb.Helper()
	c, err := open(networkOf(address), address, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func listenBare(tb testing.TB, address string) *net.UDPConn {
	tb.Helper()
	return listen(tb, address, packetinfo.Options{}).UDP()
}

// connect makes a connected socket, which hears only who was asked.
func connect(network, address string) (*net.UDPConn, error) {
	c, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.UDPConn), nil
}

func addrOf(c *packetinfo.Conn) netip.AddrPort { return c.UDP().LocalAddr().(*net.UDPAddr).AddrPort() }

func portOf(c *packetinfo.Conn) uint16 { return addrOf(c).Port() }

// inNetns runs f in a network namespace and reports its error.
func inNetns(t *testing.T, ns *testenv.Netns, f func() error) {
	t.Helper()
	var err error
	ns.Do(func() { err = f() })
	if err != nil {
		t.Error(err)
	}
}

// ask sends a word to server over a connected socket to address, has the server answer as it heard it, and returns what
// the server knows of the question. The answer counts only if it comes from the address that was asked.
func ask(server *packetinfo.Conn, network, address string) (packetinfo.Info, error) {
	client, err := connect(network, netip.AddrPortFrom(netip.MustParseAddr(address), portOf(server)).String())
	if err != nil {
		return packetinfo.Info{}, err
	}
	defer func() { _ = client.Close() }()
	if _, err := client.Write([]byte("question")); err != nil {
		return packetinfo.Info{}, err
	}
	buf := make([]byte, 100)
	n, heard, err := server.Read(buf)
	if err != nil || string(buf[:n]) != "question" {
		return heard, fmt.Errorf("server read %q: %w", buf[:n], err)
	}
	if want := client.LocalAddr().(*net.UDPAddr).AddrPort(); heard.Peer != want {
		return heard, fmt.Errorf("server heard %v, the client is %v", heard.Peer, want)
	}
	if _, err := server.Write([]byte("answer"), heard); err != nil {
		return heard, err
	}
	n, err = client.Read(buf)
	if err != nil || string(buf[:n]) != "answer" {
		return heard, fmt.Errorf("client read %q: %w", buf[:n], err)
	}
	return heard, nil
}

func TestAWildcardAnswersFromTheAddressThatWasAsked(t *testing.T) {
	ns := testenv.NewNetns(t)
	for _, a := range []string{"192.0.2.1/32", "192.0.2.2/32", "2001:db8::1/128", "2001:db8::2/128"} {
		ns.IP("addr add " + a + " dev lo")
	}
	tests := []struct{ network, wildcard, ask string }{
		{"udp4", "0.0.0.0:0", "127.0.0.1"},
		{"udp4", "0.0.0.0:0", "127.0.0.2"},
		{"udp4", "0.0.0.0:0", "192.0.2.1"},
		{"udp4", "0.0.0.0:0", "192.0.2.2"},
		{"udp6", "[::]:0", "::1"},
		{"udp6", "[::]:0", "2001:db8::1"},
		{"udp6", "[::]:0", "2001:db8::2"},
		{"udp", "[::]:0", "2001:db8::2"},
		{"udp", "[::]:0", "192.0.2.2"}, // LI-08: not in IPv6 form
	}
	for _, tt := range tests {
		inNetns(t, ns, func() error {
			server, err := open(tt.network, tt.wildcard, tellInfo)
			if err != nil {
				return err
			}
			defer func() { _ = server.Close() }()
			heard, err := ask(server, "udp", tt.ask)
			if err != nil {
				return fmt.Errorf("%s %s: %w", tt.network, tt.ask, err)
			}
			if heard.Local != netip.MustParseAddr(tt.ask) || heard.Interface != 1 {
				t.Errorf("%s: asked %s, server heard %+v", tt.network, tt.ask, heard)
			}
			return nil
		})
	}
}

func TestWhatIsNotAskedForIsNotTold(t *testing.T) {
	server := listen(t, "127.0.0.1:0", packetinfo.Options{GRO: true})
	heard, err := ask(server, "udp", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if heard.Local.IsValid() || heard.Interface != 0 || heard.FlowLabel != 0 {
		t.Errorf("heard %+v", heard)
	}
}

func TestTheSourceAddressCanBeChosen(t *testing.T) {
	server := listenBare(t, "127.0.0.1:0")
	from := listen(t, "0.0.0.0:0", tellInfo)
	to := packetinfo.Info{Peer: server.LocalAddr().(*net.UDPAddr).AddrPort(), Local: netip.MustParseAddr("127.0.0.9")}
	if _, err := from.Write([]byte("x"), to); err != nil {
		t.Fatal(err)
	}
	_, sender, err := server.ReadFromUDPAddrPort(make([]byte, 10))
	if want := netip.AddrPortFrom(to.Local, portOf(from)); err != nil || sender != want {
		t.Errorf("sender is %v, %v; want %v", sender, err, want)
	}
	to.Local = netip.MustParseAddr("192.0.2.99")
	_, err = from.Write([]byte("x"), to)
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr.String() != to.Peer.String() {
		t.Errorf("from an address of nobody: %v", err)
	}
}

// broadcastPair is two hosts on a link with IPv4.
func broadcastPair(t *testing.T) (here, there *testenv.Netns) {
	here, there = testenv.NewNetns(t), testenv.NewNetns(t)
	here.Veth("here", there, "there")
	here.IP("addr add 192.0.2.1/24 brd + dev here")
	there.IP("addr add 192.0.2.2/24 brd + dev there")
	return here, there
}

func TestABroadcastAndAGroupAreAnsweredFromAnAddressOfTheHost(t *testing.T) {
	here, there := broadcastPair(t)
	var server, client *packetinfo.Conn
	inNetns(t, here, func() (err error) {
		server, err = open("udp4", "0.0.0.0:0", tellInfo)
		return err
	})
	inNetns(t, there, func() (err error) {
		client, err = open("udp4", "192.0.2.2:0", tellInfo)
		return err
	})
	if t.Failed() {
		return
	}
	defer func() { _, _ = server.Close(), client.Close() }()
	for _, to := range []string{"192.0.2.255", "255.255.255.255", "224.0.0.1"} {
		group := netip.MustParseAddr(to)
		question := packetinfo.Info{Peer: netip.AddrPortFrom(group, portOf(server)), Local: netip.MustParseAddr("192.0.2.2")}
		inNetns(t, there, func() error {
			_, err := client.Write([]byte("who?"), question)
			return err
		})
		_, heard, err := server.Read(make([]byte, 100))
		if err != nil || heard.Local != group || heard.Peer != addrOf(client) {
			t.Errorf("%s: heard %+v, %v", to, heard, err)
			continue
		}
		if _, err := server.Write([]byte("me"), heard); err != nil {
			t.Errorf("%s: %v", to, err)
			continue
		}
		_, answer, err := client.Read(make([]byte, 100))
		if want := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), portOf(server)); err != nil || answer.Peer != want {
			t.Errorf("%s: answer from %v, %v; want %v", to, answer.Peer, err, want)
		}
	}
}

func TestADatagramWithoutDataIsNoEnd(t *testing.T) {
	for _, o := range []packetinfo.Options{tellInfo, {GRO: true}, {Info: true, GRO: true}} {
		server, client := listen(t, "[::1]:0", o), listen(t, "[::1]:0", o)
		for _, text := range []string{"", "", "word", ""} {
			if n, err := client.Write([]byte(text), packetinfo.Info{Peer: addrOf(server)}); n != len(text) || err != nil {
				t.Fatalf("%+v: wrote %d, %v", o, n, err)
			}
			buf := make([]byte, 10)
			n, heard, err := server.Read(buf)
			if string(buf[:n]) != text || err != nil || heard.Peer != addrOf(client) {
				t.Errorf("%+v: read %q from %v, %v; want %q", o, buf[:n], heard.Peer, err, text)
			}
		}
	}
}

func TestADatagramThatIsTooLargeIsToldAndKept(t *testing.T) {
	for _, o := range []packetinfo.Options{tellInfo, {GRO: true}} {
		server, client := listen(t, "127.0.0.1:0", o), listen(t, "127.0.0.1:0", o)
		for _, text := range []string{"long word", "word"} {
			if _, err := client.Write([]byte(text), packetinfo.Info{Peer: addrOf(server)}); err != nil {
				t.Fatal(err)
			}
		}
		buf := make([]byte, 4)
		n, heard, err := server.Read(buf)
		var op *net.OpError
		if string(buf[:n]) != "long" || !errors.Is(err, packetinfo.ErrTruncated) || !errors.As(err, &op) || heard.Peer != addrOf(client) {
			t.Errorf("%+v: read %q from %v, %v", o, buf[:n], heard.Peer, err)
		}
		if n, _, err := server.Read(buf); string(buf[:n]) != "word" || err != nil {
			t.Errorf("%+v: then read %q, %v", o, buf[:n], err)
		}
	}
}

// Each datagram is the answer to the last one, so that it has a source, and in IPv6 a label.
func TestNoAllocationADatagram(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		to, from := listen(t, address, tellInfo), listen(t, address, tellInfo)
		buf, heard := make([]byte, 512), packetinfo.Info{Peer: addrOf(to)}
		allocs := testing.AllocsPerRun(1000, func() {
			_, err := from.Write(buf, heard)
			if err == nil {
				_, heard, err = to.Read(buf)
			}
			if from, to = to, from; err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 || !heard.Local.IsValid() {
			t.Errorf("%s: %v allocations for a write and a read, the last of %+v", address, allocs, heard)
		}
	}
}

func TestOptionsAreRefusedByASocketThatHasNone(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	raw, _ := ln.(*net.TCPListener).SyscallConn()
	err = packetinfo.Options{GRO: true}.Set("udp4", raw)
	want := "socket option UDP_GRO: this kernel can't put datagrams together (Linux 5.0 and later can): setsockopt: protocol not available"
	if err == nil || err.Error() != want {
		t.Errorf("err = %v\nwant  %s", err, want)
	}
}
