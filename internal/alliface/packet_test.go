package alliface

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/sockopt"
	"golang.org/x/net/nettest"
)

// newPackets binds, with a free port, the addresses of a fake system that this one has too.
func newPackets(t *testing.T, addrs ...string) (*PacketConn, *fakeSource) {
	t.Helper()
	c := NewPacketServer(everywhere(0), sockopt.Packet{}).conn(nil)
	source := newFakeSource(eth(1, "lo", addrs...))
	c.set.source, c.set.now = source, source.Snapshot()
	if err := c.set.start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	return c, source
}

// connected returns a socket that takes datagrams from addr only.
func connected(t *testing.T, addr net.Addr) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp", nil, addr.(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

func loopbacks() []string {
	if nettest.SupportsIPv6() {
		return []string{"127.0.0.1", "::1"}
	}
	return []string{"127.0.0.1"}
}

func TestAnswersLeaveFromTheAddressThatWasAsked(t *testing.T) {
	c, _ := newPackets(t, loopbacks()...)
	if len(c.Addrs()) != len(loopbacks()) {
		t.Fatalf("it is bound to %v", c.Addrs())
	}
	for _, addr := range c.Addrs() {
		client := connected(t, addr)
		if _, err := client.Write([]byte("question")); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		n, info, err := c.Read(buf)
		if err != nil || string(buf[:n]) != "question" {
			t.Fatalf("read %q, %v", buf[:n], err)
		}
		local := addr.(*net.UDPAddr).AddrPort().Addr()
		if info.Local != local || info.Peer != client.LocalAddr().(*net.UDPAddr).AddrPort() {
			t.Errorf("asked %s: %+v", addr, info)
		}
		if _, err := c.Write([]byte("answer"), info); err != nil {
			t.Fatal(err)
		}
		if n, err := client.Read(buf); err != nil || string(buf[:n]) != "answer" {
			t.Errorf("%s answers %q, %v", addr, buf[:n], err)
		}
	}
}

func TestADatagramThatDoesNotFit(t *testing.T) {
	c, _ := newPackets(t, "127.0.0.1")
	client := connected(t, c.Addrs()[0])
	_, _ = client.Write([]byte("0123456789"))
	_, _ = client.Write([]byte("next"))
	buf := make([]byte, 4)
	n, info, err := c.Read(buf)
	if n != 4 || !errors.Is(err, packetinfo.ErrTruncated) || info.Peer != client.LocalAddr().(*net.UDPAddr).AddrPort() {
		t.Errorf("read %d of 10 bytes, %+v, %v", n, info, err)
	}
	if n, _, err := c.Read(buf); err != nil || string(buf[:n]) != "next" {
		t.Errorf("then read %q, %v", buf[:n], err)
	}
}

func TestPacketErrors(t *testing.T) {
	c, _ := newPackets(t, "127.0.0.1")
	peer := c.Addrs()[0].(*net.UDPAddr).AddrPort()
	for _, tc := range []struct {
		name string
		to   packetinfo.Info
	}{
		{"a local address that is none of ours", packetinfo.Info{Peer: peer, Local: netip.MustParseAddr("127.0.0.9")}},
		{"another family", packetinfo.Info{Peer: netip.MustParseAddrPort("[2001:db8::1]:9")}},
	} {
		_, err := c.Write([]byte("x"), tc.to)
		var op *net.OpError
		if !errors.Is(err, errNotHere) || !errors.As(err, &op) || op.Addr.String() != tc.to.Peer.String() {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// LI-05
func TestCloseEndsRead(t *testing.T) {
	c, _ := newPackets(t, loopbacks()...)
	result := make(chan error)
	go func() {
		_, _, err := c.Read(make([]byte, 1))
		result <- err
	}()
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	if err := <-result; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read ends with %v", err)
	}
	_, err := c.Write([]byte("x"), packetinfo.Info{Peer: netip.MustParseAddrPort("127.0.0.1:9")})
	for _, err := range []error{err, c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{})} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

// A datagram that nobody has asked for goes with its address, and keeps nothing alive.
func TestADatagramGoesWithItsAddress(t *testing.T) {
	c, source := newPackets(t, "127.0.0.1")
	_, _ = connected(t, c.Addrs()[0]).Write([]byte("x"))
	source.put()
	awaitAddrs(t, c, "gone", func(hosts []string) bool { return len(hosts) == 0 })
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	if n, _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d, %v", n, err)
	}
}

func TestPacketWriteDeadline(t *testing.T) {
	c, source := newPackets(t, "127.0.0.1")
	to := packetinfo.Info{Peer: c.Addrs()[0].(*net.UDPAddr).AddrPort()}
	_ = c.SetWriteDeadline(time.Unix(1, 0))
	if _, err := c.Write([]byte("x"), to); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	// A socket that is made later has it too.
	source.put()
	awaitAddrs(t, c, "gone", func(hosts []string) bool { return len(hosts) == 0 })
	source.put(eth(1, "lo", "127.0.0.1"))
	awaitAddrs(t, c, "back", func(hosts []string) bool { return len(hosts) == 1 })
	if _, err := c.set.bindings()[0].socket.(*packetSocket).conn.Write([]byte("x"), to); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a later socket: %v", err)
	}
	_ = c.SetWriteDeadline(time.Time{})
	if _, err := c.Write([]byte("x"), to); err != nil {
		t.Errorf("without a deadline: %v", err)
	}
}
