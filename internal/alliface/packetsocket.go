package alliface

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/epctl/endpoint/internal/packetinfo"
)

// A packetConn is a *packetinfo.Conn.
type packetConn interface {
	Read([]byte) (int, packetinfo.Info, error)
	Write([]byte, packetinfo.Info) (int, error)
	UDP() *net.UDPConn
	Close() error
}

// A packetSocket receives datagrams on one address, or on one family with mode Wildcard.
type packetSocket struct {
	owner   *PacketConn
	conn    packetConn
	target  atomic.Pointer[Target]
	ctx     context.Context
	cancel  context.CancelFunc
	serving bool
	done    chan struct{}
}

func newPacketSocket(c *PacketConn, conn packetConn) *packetSocket {
	s := &packetSocket{owner: c, conn: conn, done: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(c.set.ctx)
	return s
}

func (s *packetSocket) port() uint16 {
	return s.conn.UDP().LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

func (s *packetSocket) moved(t Target) { s.target.Store(&t) }

func (s *packetSocket) serve() {
	s.serving = true
	s.setWriteDeadline(s.owner.write.time())
	go s.run()
}

// setWriteDeadline fails where the socket was closed in the meantime, which does not matter.
func (s *packetSocket) setWriteDeadline(t time.Time) { _ = s.conn.UDP().SetWriteDeadline(t) }

func (s *packetSocket) close() {
	s.cancel()
	_ = s.conn.Close()
	if s.serving {
		<-s.done
	}
}

const (
	minReadDelay = 5 * time.Millisecond
	maxReadDelay = time.Second
)

// run hands datagrams over until close. The system tells of a lack of memory, for one, by a failed read: the datagrams
// that wait are still there.
func (s *packetSocket) run() {
	defer close(s.done)
	delay := time.Duration(0)
	for s.ctx.Err() == nil {
		d := s.owner.buffer()
		n, info, err := s.conn.Read(d.buf[:])
		switch {
		case err == nil:
			delay = 0
			d.n, d.info = n, s.withLocal(info)
			s.handOver(d)
			continue
		case errors.Is(err, net.ErrClosed):
			return
		}
		s.owner.buffers.Put(d)
		delay = min(max(2*delay, minReadDelay), maxReadDelay)
		s.owner.tell(s, err, delay)
		s.wait(delay)
	}
}

func (s *packetSocket) handOver(d *datagram) {
	select {
	case s.owner.datagrams <- d:
	case <-s.ctx.Done():
	}
}

func (s *packetSocket) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// withLocal fills in what a system does not tell that tells nothing of single datagrams.
func (s *packetSocket) withLocal(i packetinfo.Info) packetinfo.Info {
	if t := s.target.Load(); !i.Local.IsValid() && !t.Addr.IsUnspecified() {
		i.Local, i.Interface = t.Addr.WithZone(""), t.Index
	}
	return i
}

func (c *PacketConn) buffer() *datagram {
	if d, ok := c.buffers.Get().(*datagram); ok {
		return d
	}
	return new(datagram)
}

// tell tells of failed reads, the first time in a row.
func (c *PacketConn) tell(s *packetSocket, err error, delay time.Duration) {
	if delay == minReadDelay {
		t := *s.target.Load()
		c.set.warn(t, err, "reading on %s failed, next try in %s", t, delay)
	}
}
