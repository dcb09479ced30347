package udpsock_test

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/udpsock"
)

func TestOneWriteIsManyDatagrams(t *testing.T) {
	needIPv6(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		server := listen(t, listenSpec(address))
		s := dialSpec()
		s.Segment = 100
		c := dial(t, s, addrOf(server))
		for _, size := range []int{0, 99, 100, 101, 350, 64 * 100} {
			if n, err := c.Write(make([]byte, size)); n != size || err != nil {
				t.Fatalf("wrote %d bytes of %d, %v", n, size, err)
			}
			for left := size; ; left -= 100 {
				n, err := server.Read(make([]byte, 200))
				if want := min(100, left); err != nil || n != want {
					t.Fatalf("%s: of %d bytes, read %d, %v; want %d", address, size, n, err, want)
				}
				if left <= 100 {
					break
				}
			}
		}
		if _, err := c.Write(make([]byte, 1+udpsock.MaxSegment)); !errors.Is(err, syscall.EMSGSIZE) {
			t.Errorf("%s: a write that is too large: %v", address, err)
		}
		speak(t, c, server)
	}
}

// The kernel does not make fragments of a segment.
func TestASegmentThatDoesNotFitThePathIsAnError(t *testing.T) {
	ns := newPair(t)
	var c *net.UDPConn
	do(t, ns.here, func() (err error) {
		s := dialSpec()
		s.Segment = 1480 // MTU 1500, less than the headers
		c, err = udpsock.NewDialer(s).Dial(t.Context(), netip.AddrPortFrom(ns.thereAddr.WithZone("here"), 9))
		return err
	})
	if c == nil {
		return
	}
	ready(t, c)
	if _, err := c.Write(make([]byte, 3000)); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("err = %v", err)
	}
}

// The one option that package net does not have is on the wire: see package flowlabel for the packets themselves.
func TestTheFlowLabelArrives(t *testing.T) {
	needIPv6(t)
	const label = 0x3a5a5
	ls, ds := listenSpec("[::1]:0"), dialSpec()
	ls.Tell.Info = true
	ds.FlowLabel = label
	server := listen(t, ls)
	info, err := packetinfo.New(server, ls.Tell)
	if err != nil {
		t.Fatal(err)
	}
	ds.LocalPort = 0
	c := dial(t, ds, addrOf(server))
	for range 2 {
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		_, heard, err := info.Read(make([]byte, 10))
		if err != nil || heard.FlowLabel != label || heard.Peer != addrOf(c) {
			t.Errorf("heard %+v, %v", heard, err)
		}
	}
}

// Package net says in which way a datagram was too large only by the flags of ReadMsgUDPAddrPort.
func TestADatagramThatIsTooLargeIsToldByTheFlags(t *testing.T) {
	server := listen(t, listenSpec("127.0.0.1:0"))
	c := dial(t, dialSpec(), addrOf(server))
	for _, text := range []string{"long word", "word"} {
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4)
		n, _, flags, _, err := server.ReadMsgUDPAddrPort(buf, nil)
		if truncated := flags&syscall.MSG_TRUNC != 0; err != nil || string(buf[:n]) != text[:4] || truncated != (len(text) > 4) {
			t.Errorf("read %q, truncated %v, %v", buf[:n], truncated, err)
		}
	}
}
