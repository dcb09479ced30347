package alliface_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/plugins/alliface"
)

func listenPacket(t *testing.T, s string) *alliface.PacketConn {
	t.Helper()
	server, err := plugins.NewPacketServer(s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := server.ListenPacket(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c.(*alliface.PacketConn)
}

func dialUDP(t *testing.T, addr net.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial("udp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

// An address that was read can be written to in every form, and the answer comes from where it was asked for.
func TestAnAddressCanBeWrittenTo(t *testing.T) {
	c := listenPacket(t, "alliface:port=0:include=[127.0.0.1,::1]")
	buf := make([]byte, 100)
	for _, addr := range c.Addrs() {
		client := dialUDP(t, addr)
		if _, err := client.Write([]byte("question")); err != nil {
			t.Fatal(err)
		}
		n, from, err := c.ReadFrom(buf)
		if err != nil || string(buf[:n]) != "question" {
			t.Fatalf("read %q, %v", buf[:n], err)
		}
		a, ok := from.(*alliface.Addr)
		if !ok || a.Network() != "udp" || a.String() != client.LocalAddr().String() || a.Local != netip.MustParseAddrPort(addr.String()).Addr() {
			t.Fatalf("%s: from %T %v", addr, from, from)
		}
		for _, to := range []net.Addr{from, *a, net.UDPAddrFromAddrPort(a.AddrPort), alliface.Addr{AddrPort: a.AddrPort}} {
			if _, err := c.WriteTo([]byte("answer"), to); err != nil {
				t.Errorf("to %#v: %v", to, err)
				continue
			}
			if n, err := client.Read(buf); err != nil || string(buf[:n]) != "answer" {
				t.Errorf("to %#v: %q, %v", to, buf[:n], err)
			}
		}
	}
}

func TestWhatCantBeWrittenTo(t *testing.T) {
	c := listenPacket(t, "alliface:port=0:include=127.0.0.0/8")
	for _, tc := range []struct {
		to   net.Addr
		want error
	}{
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, syscall.EINVAL},
		{nil, syscall.EINVAL},
	} {
		var op *net.OpError
		if _, err := c.WriteTo([]byte("x"), tc.to); !errors.Is(err, tc.want) || !errors.As(err, &op) {
			t.Errorf("%v: %v", tc.to, err)
		}
	}
	client := dialUDP(t, c.Addrs()[0])
	_, _ = client.Write([]byte("0123456789"))
	if n, _, err := c.ReadFrom(make([]byte, 4)); n != 4 || !errors.Is(err, alliface.ErrTruncated) {
		t.Errorf("read %d, %v", n, err)
	}
}

func TestChangesAreClosedWithTheSocket(t *testing.T) {
	c := listenPacket(t, "alliface:port=0:include=[127.0.0.1,::1]")
	if addr := c.LocalAddr().(*net.UDPAddr); addr.Port == 0 || !addr.IP.IsUnspecified() {
		t.Errorf("the address is %v", addr)
	}
	_ = c.Close()
	if _, ok := <-c.Changes(); ok {
		t.Error("a change is told")
	}
}
