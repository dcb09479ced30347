package multicast

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/epctl/endpoint/internal/mcast"
	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/sockaddr"
)

// Errors that errors.Is finds.
var (
	// ErrTruncated says that a datagram was larger than the buffer, which has its first bytes; the others are lost.
	ErrTruncated = packetinfo.ErrTruncated
	// ErrNoInterface says that no interface has the name, the index or the address that was given.
	ErrNoInterface = netif.ErrNoInterface
)

// An Addr is the sender or the receiver of one datagram, and the way between it and us. It is a [net.Addr] and can be
// compared by ==.
type Addr struct {
	// The peer. A link-local address has a zone: read, the interface's name; to write, its name or index. IPv4 is never
	// in IPv6 form.
	netip.AddrPort
	// Interface is the index of the interface that the datagram came in on. To write, it is the way out to a group or to
	// a link-local peer without a zone, in place of the outgoing interface; 0 leaves it to that.
	Interface int
	// Local is the group that the datagram was sent to, without a zone. Where datagrams to this host itself are taken,
	// it is the address. It does not matter to write.
	Local netip.Addr
}

// Network returns "udp".
func (a Addr) Network() string { return "udp" }

// String returns the peer's address and port.
func (a Addr) String() string { return a.AddrPort.String() }

// A Conn is a UDP socket that is joined to groups, or sends to one. It gives what was sent to a group that is joined on
// the interface it came in on, by a sender that is wanted, and nothing else; see the parameter unicast. A Conn that a
// client made has joined nothing: it sends to the group by Write, and reads what is sent back to it alone, by whomever.
//
// It may be used from several goroutines at once. Errors are a *net.OpError.
type Conn struct {
	socket  *mcast.Socket
	remote  netip.AddrPort // of a client
	source  netip.Addr     // that a client's datagrams to groups come from
	unicast bool
}

var (
	_ net.PacketConn = (*Conn)(nil)
	_ net.Conn       = (*Conn)(nil)
	_ syscall.Conn   = (*Conn)(nil)
	_ net.Addr       = Addr{}
)

func (c *Conn) udp() *net.UDPConn { return c.socket.Packets.UDP() }

// ReadFromAddr reads one datagram into b and tells who sent it to which group, and on which interface it came, without
// an allocation. A datagram without data gives 0 and no error. For one that is larger than b the error is
// [ErrTruncated], and b and the address are right.
func (c *Conn) ReadFromAddr(b []byte) (int, Addr, error) {
	for {
		n, info, err := c.socket.Packets.Read(b)
		if err != nil && !errors.Is(err, ErrTruncated) {
			return 0, Addr{}, err
		}
		if c.takes(info) {
			return n, Addr{AddrPort: info.Peer, Interface: info.Interface, Local: info.Local}, err
		}
	}
}

// takes: the kernel looks at the group only, whichever interface an IPv6 socket joined it on, and gives what was in the
// queue when a group was left.
func (c *Conn) takes(info packetinfo.Info) bool {
	if !info.Local.IsMulticast() {
		return c.unicast && info.Local.IsValid()
	}
	return c.socket.Takes(info.Local, info.Peer.Addr().WithZone(""), info.Interface)
}

// WriteToAddr sends b as one datagram, without an allocation. A datagram to a group leaves by the interface that the
// address names by its zone or its Interface, else by the outgoing interface. ENODEV says that the latter is gone; for a
// group of one link, EDESTADDRREQ says that there is none while several interfaces are joined.
func (c *Conn) WriteToAddr(b []byte, to Addr) (int, error) {
	info := packetinfo.Info{Peer: to.AddrPort, Interface: to.Interface}
	peer := to.Addr()
	if peer.IsMulticast() {
		info.Local = c.source
	}
	if peer.IsMulticast() && peer.Zone() == "" && to.Interface == 0 {
		var err error
		if info.Interface, err = c.way(peer); err != nil {
			return 0, c.opError("write", net.UDPAddrFromAddrPort(to.AddrPort), err)
		}
	}
	return c.socket.Packets.Write(b, info)
}

// way returns the interface for a datagram to a group that does not say it itself, 0 where the kernel has to decide.
func (c *Conn) way(group netip.Addr) (int, error) {
	near := mcast.LinkLocal(group) || mcast.InterfaceLocal(group)
	switch way := c.socket.Way(); {
	case way == mcast.WayGone:
		return 0, fmt.Errorf("the outgoing interface %s is gone: %w", c.socket.Outgoing(), syscall.ENODEV)
	case way == mcast.WayAmbiguous && near:
		return 0, fmt.Errorf("a group of one link, and no outgoing interface: %w", syscall.EDESTADDRREQ)
	case way > 0:
		return way, nil
	}
	return 0, nil
}

// ReadFrom is [Conn.ReadFromAddr]; the address is an *[Addr].
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) { return sockaddr.ReadFrom(c.ReadFromAddr(b)) }

// WriteTo is [Conn.WriteToAddr] for an [Addr], an *Addr or a *[net.UDPAddr].
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	return sockaddr.WriteTo(c, b, to, func(peer netip.AddrPort) Addr { return Addr{AddrPort: peer} })
}

// Read is [Conn.ReadFromAddr] without the address.
func (c *Conn) Read(b []byte) (int, error) {
	n, _, err := c.ReadFromAddr(b)
	return n, err
}

// Write sends b as one datagram to the group of a client. The error of a server's is EDESTADDRREQ.
func (c *Conn) Write(b []byte) (int, error) {
	if !c.remote.IsValid() {
		return 0, c.opError("write", nil, syscall.EDESTADDRREQ)
	}
	return c.WriteToAddr(b, Addr{AddrPort: c.remote})
}

func (c *Conn) opError(op string, addr net.Addr, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: c.LocalAddr(), Addr: addr, Err: err}
}

// RemoteAddr returns the group and the port that a client sends to, a *net.UDPAddr; nil for a server.
func (c *Conn) RemoteAddr() net.Addr {
	if !c.remote.IsValid() {
		return nil
	}
	return net.UDPAddrFromAddrPort(c.remote)
}

// LocalAddr returns the wildcard address and the port that the socket is bound to, a *net.UDPAddr.
func (c *Conn) LocalAddr() net.Addr { return c.udp().LocalAddr() }

// NetConn returns the socket, a *net.UDPConn, for what a Conn does not have itself. Read from it, it gives datagrams
// that the Conn would not.
func (c *Conn) NetConn() net.Conn { return c.udp() }

// SyscallConn returns the socket for its options; see [Conn.NetConn] for reading.
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return c.udp().SyscallConn() }

// Close closes the socket, which leaves all groups. Reads and writes that wait fail with net.ErrClosed.
func (c *Conn) Close() error { return c.socket.Close() }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *Conn) SetDeadline(t time.Time) error { return c.udp().SetDeadline(t) }

// SetReadDeadline sets the time after which reads fail with os.ErrDeadlineExceeded, those that wait too.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.udp().SetReadDeadline(t) }

// SetWriteDeadline sets the time after which writes fail with os.ErrDeadlineExceeded, those that wait too.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.udp().SetWriteDeadline(t) }

// SetReadBuffer sets the size of the socket's receive buffer in bytes (SO_RCVBUF).
func (c *Conn) SetReadBuffer(bytes int) error { return c.udp().SetReadBuffer(bytes) }

// SetWriteBuffer sets the size of the socket's send buffer in bytes (SO_SNDBUF).
func (c *Conn) SetWriteBuffer(bytes int) error { return c.udp().SetWriteBuffer(bytes) }
