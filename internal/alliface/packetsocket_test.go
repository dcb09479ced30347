package alliface

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/packetinfo"
)

// A fakePackets is a socket whose reads a test decides.
type fakePackets struct {
	reads  chan error // nil is a datagram
	closed chan struct{}
}

func (f *fakePackets) Read(b []byte) (int, packetinfo.Info, error) {
	select {
	case err := <-f.reads:
		return copy(b, "x"), packetinfo.Info{Peer: netip.MustParseAddrPort("192.0.2.9:9")}, err
	case <-f.closed:
		return 0, packetinfo.Info{}, net.ErrClosed
	}
}

func (f *fakePackets) Write(b []byte, _ packetinfo.Info) (int, error) { return len(b), nil }
func (f *fakePackets) UDP() *net.UDPConn                              { return &net.UDPConn{} }
func (f *fakePackets) Close() error                                   { close(f.closed); return nil }

func newFakePackets(t *testing.T, l *log) (*PacketConn, *fakePackets) {
	f := &fakePackets{reads: make(chan error, 100), closed: make(chan struct{})}
	c := &PacketConn{datagrams: make(chan *datagram)}
	c.set = newSet(everywhere(80), "udp", l.trace, func(Target, uint16) (socket, error) { return newPacketSocket(c, f), nil })
	source := newFakeSource(eth(2, "eth0", "192.0.2.1"))
	c.set.source, c.set.now = source, source.Snapshot()
	if err := c.set.start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	synctest.Wait()
	l.lines()
	return c, f
}

// LI-01, for datagrams: a read that fails is tried again after a while, and told once in a row.
func TestReadingSurvivesFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &log{}
		c, f := newFakePackets(t, l)
		start := time.Now()
		for range 3 {
			f.reads <- syscall.ENOBUFS
		}
		f.reads <- nil
		n, info, err := c.Read(make([]byte, 10))
		if n != 1 || err != nil || time.Since(start) != 35*time.Millisecond {
			t.Errorf("read %d, %v after %s", n, err, time.Since(start))
		}
		// A system that does not tell it: the socket has but one address.
		if info.Local != netip.MustParseAddr("192.0.2.1") || info.Interface != 2 {
			t.Errorf("%+v", info)
		}
		f.reads <- syscall.ENOMEM
		f.reads <- nil
		if _, _, err := c.Read(make([]byte, 10)); err != nil {
			t.Error(err)
		}
		got := l.lines()
		if len(got) != 2 || got[0] != "warning udp4 192.0.2.1:80: reading on 192.0.2.1 (eth0) failed, next try in 5ms: no buffer space available" {
			t.Errorf("told %q", got)
		}
		for range 50 {
			f.reads <- syscall.ENOMEM
		}
		time.Sleep(10 * time.Second)
		start = time.Now()
		_ = c.Close()
		if d := time.Since(start); d != 0 {
			t.Errorf("Close waits for the next try: %s", d)
		}
	})
}
