package alliface

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/udpsock"
	"github.com/epctl/endpoint/trace"
)

// A PacketServer makes datagram sockets by one spec, any number of times and from any goroutine.
type PacketServer struct {
	spec    Spec
	options sockopt.Packet
}

// NewPacketServer prepares for a spec that has no [Spec.PacketProblems]. It does no I/O.
func NewPacketServer(s Spec, o sockopt.Packet) *PacketServer {
	s.Device, s.Tentative = o.BindToDevice, o.FreeBind
	return &PacketServer{s, o}
}

// ListenPacket binds as [Server.Listen] does.
func (s *PacketServer) ListenPacket(ctx context.Context) (*PacketConn, error) {
	c := s.conn(trace.From(ctx))
	if err := c.set.open(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

func (s *PacketServer) conn(t trace.Tracer) *PacketConn {
	c := &PacketConn{datagrams: make(chan *datagram)}
	c.set = newSet(s.spec, "udp", t, func(to Target, port uint16) (socket, error) {
		return c.bind(udpsock.ListenSpec{
			Layer: s.spec.Layer, Addr: netip.AddrPortFrom(to.Addr, port),
			Tell: packetinfo.Options{Info: packetinfo.Supported}, Options: s.options,
		})
	})
	return c
}

// A PacketConn is a datagram socket over the sockets of all addresses. It may be used from several goroutines at once.
type PacketConn struct {
	set       *set
	datagrams chan *datagram // not buffered: senders take turns
	buffers   sync.Pool      // of *datagram
	read      deadline
	write     deadline
}

// A datagram is one that was read from a socket and that nobody has asked for yet.
type datagram struct {
	n    int
	info packetinfo.Info
	buf  [maxDatagram]byte
}

// maxDatagram is more than the largest payload of a UDP datagram.
const maxDatagram = 1 << 16

func (c *PacketConn) bind(spec udpsock.ListenSpec) (socket, error) {
	udp, err := udpsock.NewListener(spec).Listen(context.Background())
	if err != nil {
		return nil, err
	}
	conn, err := packetinfo.New(udp, spec.Tell)
	if err != nil {
		_ = udp.Close()
		return nil, err
	}
	return newPacketSocket(c, conn), nil
}

// Read reads one datagram into b and tells whose it is and to which of our addresses it was sent. For one that is larger
// than b the error is packetinfo.ErrTruncated, in a *net.OpError as all errors are, and b and the Info are right.
func (c *PacketConn) Read(b []byte) (int, packetinfo.Info, error) {
	over := c.read.passed()
	if isClosed(c.set.ctx.Done()) {
		return 0, packetinfo.Info{}, c.set.errClosed("read")
	}
	if isClosed(over) {
		return 0, packetinfo.Info{}, c.opError("read", netip.AddrPort{}, os.ErrDeadlineExceeded)
	}
	select {
	case d := <-c.datagrams:
		return c.take(b, d)
	case <-over:
		return 0, packetinfo.Info{}, c.opError("read", netip.AddrPort{}, os.ErrDeadlineExceeded)
	case <-c.set.ctx.Done():
		return 0, packetinfo.Info{}, c.set.errClosed("read")
	}
}

func (c *PacketConn) take(b []byte, d *datagram) (int, packetinfo.Info, error) {
	n, size, info := copy(b, d.buf[:d.n]), d.n, d.info
	c.buffers.Put(d)
	if n < size {
		return n, info, c.opError("read", info.Peer, packetinfo.ErrTruncated)
	}
	return n, info, nil
}

// Write sends b as one datagram from the address to.Local, which is the one that was asked where the Info was read. For
// the zero Addr it is one of ours that suits the peer (see [suits]), or with mode Wildcard what the system chooses.
// Errors are a *net.OpError.
func (c *PacketConn) Write(b []byte, to packetinfo.Info) (int, error) {
	switch {
	case isClosed(c.set.ctx.Done()):
		return 0, c.set.errClosed("write")
	case isClosed(c.write.passed()):
		return 0, c.opError("write", to.Peer, os.ErrDeadlineExceeded)
	}
	from, err := c.socketFor(to)
	if err != nil {
		return 0, c.opError("write", to.Peer, err)
	}
	return from.conn.Write(b, to)
}

// Close closes all sockets. Reads and writes that wait fail with net.ErrClosed. It always returns nil, and may be called
// again.
func (c *PacketConn) Close() error {
	c.set.close()
	return nil
}

// LocalAddr is [Listener.Addr], a *net.UDPAddr.
func (c *PacketConn) LocalAddr() net.Addr { return c.set.addr(c.set.all()) }

// Addrs is [Listener.Addrs], each a *net.UDPAddr.
func (c *PacketConn) Addrs() []net.Addr { return c.set.addrs() }

// Changes is [Listener.Changes].
func (c *PacketConn) Changes() <-chan struct{} { return c.set.changes }

// SetReadDeadline sets the time after which reads fail with os.ErrDeadlineExceeded, those that wait too.
func (c *PacketConn) SetReadDeadline(t time.Time) error {
	if isClosed(c.set.ctx.Done()) {
		return c.set.errClosed("set")
	}
	c.read.set(t)
	return nil
}

// SetWriteDeadline sets the time after which writes fail with os.ErrDeadlineExceeded. A write does not wait, except for
// room in the system's buffer.
func (c *PacketConn) SetWriteDeadline(t time.Time) error {
	if isClosed(c.set.ctx.Done()) {
		return c.set.errClosed("set")
	}
	c.write.set(t)
	for _, b := range c.set.bindings() {
		b.socket.(*packetSocket).setWriteDeadline(t)
	}
	return nil
}

func (c *PacketConn) opError(op string, peer netip.AddrPort, err error) error {
	e := &net.OpError{Op: op, Net: "udp", Source: c.LocalAddr(), Err: err}
	if peer.IsValid() {
		e.Addr = net.UDPAddrFromAddrPort(peer)
	}
	return e
}
