package main

import (
	"context"
	"errors"
	"net"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// packets shows or echoes datagrams until ctx is done, or one of them with --once.
func (c *listenCmd) packets(ctx context.Context, a *app) error {
	server, err := a.registry.NewPacketServer(c.String)
	if err != nil {
		return err
	}
	conn, err := server.ListenPacket(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	a.announce(conn.LocalAddr(), conn)
	r := newPacketReader(conn)
	delay := time.Duration(0)
	for {
		p, err := r.read()
		switch {
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // such as what an earlier answer met
			a.report(err)
			delay = min(2*delay+5*time.Millisecond, time.Second)
			pause(ctx, delay)
			continue
		}
		delay = 0
		if err := c.packet(a, conn, p); err != nil {
			return err
		}
		if c.Once {
			return nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}

func (c *listenCmd) packet(a *app, conn net.PacketConn, p packet) error {
	switch {
	case c.JSON:
		return a.out.json(p.object())
	case c.Echo:
		if _, err := conn.WriteTo(p.data, p.from); err != nil {
			a.report(err) // the peer's trouble, not the socket's
		}
		return nil
	}
	return a.out.print(p.line(c.Raw))
}

// A packetReader reads datagrams with what the socket tells of them. A kind of socket that tells more in a way of its
// own gets a case in newPacketReader.
type packetReader struct {
	conn   net.PacketConn
	buffer []byte
	read4  *ipv4.PacketConn // where the socket tells the destination of IPv4 datagrams
	read6  *ipv6.PacketConn // of IPv6 datagrams
}

func newPacketReader(conn net.PacketConn) *packetReader {
	r := &packetReader{conn: conn, buffer: make([]byte, mostDatagram)}
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		return r
	}
	if local, ok := udp.LocalAddr().(*net.UDPAddr); ok && local.IP.To4() != nil {
		if c := ipv4.NewPacketConn(udp); c.SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true) == nil {
			r.read4 = c
		}
		return r
	}
	if c := ipv6.NewPacketConn(udp); c.SetControlMessage(ipv6.FlagDst|ipv6.FlagInterface, true) == nil {
		r.read6 = c
	}
	return r
}

// read returns the next datagram, whose data is good until the one after it.
func (r *packetReader) read() (p packet, err error) {
	var n, index int
	var to net.IP
	switch {
	case r.read4 != nil:
		var cm *ipv4.ControlMessage
		if n, cm, p.from, err = r.read4.ReadFrom(r.buffer); cm != nil {
			to, index = cm.Dst, cm.IfIndex
		}
	case r.read6 != nil:
		var cm *ipv6.ControlMessage
		if n, cm, p.from, err = r.read6.ReadFrom(r.buffer); cm != nil {
			to, index = cm.Dst, cm.IfIndex
		}
	default:
		n, p.from, err = r.conn.ReadFrom(r.buffer)
	}
	p.to, p.data = r.conn.LocalAddr(), r.buffer[:n]
	r.place(&p, to, index)
	return p, err
}

// place fills in where a datagram went.
func (r *packetReader) place(p *packet, to net.IP, index int) {
	if device, err := net.InterfaceByIndex(index); index > 0 && err == nil {
		p.device = device.Name
	}
	local, ok := p.to.(*net.UDPAddr)
	if to == nil || !ok {
		return
	}
	dst := &net.UDPAddr{IP: to, Port: local.Port}
	if to.To4() == nil && (to.IsLinkLocalUnicast() || to.IsLinkLocalMulticast()) {
		dst.Zone = p.device
	}
	p.to = dst
}
