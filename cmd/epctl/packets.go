package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"reflect"
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
	if c.Echo {
		if _, err := conn.WriteTo(p.data, p.from); err != nil {
			a.report(err) // the peer's trouble, not the socket's
		}
	}
	switch {
	case c.JSON:
		return a.out.json(p.object())
	case c.Echo:
		return nil
	}
	return a.out.print(p.line(c.Raw))
}

// A packetReader reads datagrams with what the socket tells of them: a *net.UDPConn by control messages, others by the
// addresses that they give.
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
func (r *packetReader) read() (packet, error) {
	n, from, to, index, err := r.readFrom()
	p := packet{from: from, to: r.conn.LocalAddr(), data: r.buffer[:n]}
	if device, err := net.InterfaceByIndex(index); index > 0 && err == nil {
		p.device = device.Name
	}
	if local, ok := p.to.(*net.UDPAddr); ok && to.IsValid() {
		to = to.Unmap()
		if to.IsLinkLocalUnicast() || to.IsLinkLocalMulticast() {
			to = to.WithZone(p.device) // which IPv4 does not take
		}
		p.to = net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, uint16(local.Port)))
	}
	return p, err
}

// readFrom also returns the address that the datagram was sent to, and the index of the interface that it came in on,
// where they are known.
func (r *packetReader) readFrom() (n int, from net.Addr, to netip.Addr, index int, err error) {
	switch {
	case r.read4 != nil:
		var cm *ipv4.ControlMessage
		if n, cm, from, err = r.read4.ReadFrom(r.buffer); cm != nil {
			to, _ = netip.AddrFromSlice(cm.Dst)
			index = cm.IfIndex
		}
	case r.read6 != nil:
		var cm *ipv6.ControlMessage
		if n, cm, from, err = r.read6.ReadFrom(r.buffer); cm != nil {
			to, _ = netip.AddrFromSlice(cm.Dst)
			index = cm.IfIndex
		}
	default:
		n, from, err = r.conn.ReadFrom(r.buffer)
		to, index = arrival(from)
	}
	return n, from, to, index, err
}

// arrival returns what an address of a plugin's own tells of a datagram's way: the fields Local, the address that it was
// sent to, and Interface, the index of the interface that it came in on.
func arrival(from net.Addr) (to netip.Addr, index int) {
	v := reflect.Indirect(reflect.ValueOf(from))
	if v.Kind() != reflect.Struct {
		return to, 0
	}
	if f := v.FieldByName("Local"); f.IsValid() && f.CanInterface() {
		to, _ = f.Interface().(netip.Addr)
	}
	if f := v.FieldByName("Interface"); f.IsValid() && f.CanInterface() {
		index, _ = f.Interface().(int)
	}
	return to, index
}
