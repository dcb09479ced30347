package alliface

import (
	"net"
	"net/netip"
	"time"

	"github.com/epctl/endpoint/internal/alliface"
	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/sockaddr"
)

// ErrTruncated is what errors.Is finds in the error of a read whose buffer was too small: the buffer has the first bytes
// of the datagram, the others are lost. The next read gives the next datagram.
var ErrTruncated = packetinfo.ErrTruncated

// An Addr is the peer of one datagram together with our own address, so that the answer leaves from the address that was
// asked. It is a [net.Addr] and can be compared by ==.
type Addr struct {
	// The peer. A link-local address has a zone: read, the interface's name; to write, its name or index. IPv4 is never
	// in IPv6 form.
	netip.AddrPort
	// Local is the address of ours that the datagram was sent to. To write, it is the source address; the zero Addr is
	// the one that suits the peer best: of the same kind (loopback, link-local or neither), on the interface of the
	// peer's zone, and with the longest prefix in common.
	Local netip.Addr
	// Interface is the index of the interface that has Local, or with mode=wildcard the one that the datagram came in
	// on. To write, it is needed where Local is link-local and neither it nor the peer has a zone.
	Interface int

	heard packetinfo.Heard
	label uint32
}

// Network returns "udp".
func (a Addr) Network() string { return "udp" }

// String returns the peer's address and port.
func (a Addr) String() string { return a.AddrPort.String() }

func (a Addr) info() packetinfo.Info {
	return packetinfo.Info{Peer: a.AddrPort, Local: a.Local, Interface: a.Interface, FlowLabel: a.label, Heard: a.heard}
}

func addrOf(i packetinfo.Info) Addr {
	return Addr{AddrPort: i.Peer, Local: i.Local, Interface: i.Interface, label: i.FlowLabel, heard: i.Heard}
}

// A PacketConn is a [net.PacketConn] over the sockets of many addresses. It may be used from several goroutines at once.
type PacketConn struct{ all *alliface.PacketConn }

var (
	_ net.PacketConn = (*PacketConn)(nil)
	_ net.Addr       = Addr{}
)

// ReadFromAddr reads one datagram into b and tells whose it is. For one that is larger than b the error is
// [ErrTruncated], in a *net.OpError as all errors are, and b and the address are right.
func (c *PacketConn) ReadFromAddr(b []byte) (int, Addr, error) {
	n, info, err := c.all.Read(b)
	return n, addrOf(info), err
}

// WriteToAddr sends b as one datagram. Errors are a *net.OpError; EADDRNOTAVAIL says that Local is no address that is
// listened on, or that there is none of the peer's family.
func (c *PacketConn) WriteToAddr(b []byte, to Addr) (int, error) { return c.all.Write(b, to.info()) }

// ReadFrom is [PacketConn.ReadFromAddr]; the address is an *[Addr].
func (c *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	return sockaddr.ReadFrom(c.ReadFromAddr(b))
}

// WriteTo is [PacketConn.WriteToAddr] for an [Addr], an *Addr or a *[net.UDPAddr].
func (c *PacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	return sockaddr.WriteTo(c, b, to, func(peer netip.AddrPort) Addr { return Addr{AddrPort: peer} })
}

// Close closes all sockets. Reads that wait fail with net.ErrClosed. It always returns nil, and may be called again.
func (c *PacketConn) Close() error { return c.all.Close() }

// LocalAddr returns the port with the address that stands for all: :: where there is IPv6, else 0.0.0.0. It stays the
// same as long as the socket lives.
func (c *PacketConn) LocalAddr() net.Addr { return c.all.LocalAddr() }

// Addrs returns the addresses, each a *net.UDPAddr, as [Listener.Addrs] does.
func (c *PacketConn) Addrs() []net.Addr { return c.all.Addrs() }

// Changes returns a channel as [Listener.Changes] does.
func (c *PacketConn) Changes() <-chan struct{} { return c.all.Changes() }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *PacketConn) SetDeadline(t time.Time) error {
	if err := c.all.SetReadDeadline(t); err != nil {
		return err
	}
	return c.all.SetWriteDeadline(t)
}

// SetReadDeadline sets the time after which reads fail with os.ErrDeadlineExceeded, those that wait too.
func (c *PacketConn) SetReadDeadline(t time.Time) error { return c.all.SetReadDeadline(t) }

// SetWriteDeadline sets the time after which writes fail with os.ErrDeadlineExceeded.
func (c *PacketConn) SetWriteDeadline(t time.Time) error { return c.all.SetWriteDeadline(t) }
