package udp

import (
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/sockaddr"
)

// ErrTruncated is what errors.Is finds in the error of a read whose buffer was too small: the buffer has the first bytes
// of the datagram, the others are lost. The next read gives the next datagram.
var ErrTruncated = packetinfo.ErrTruncated

// An Addr is the peer of one datagram, and the way between it and us: what identifies a flow over IPv6. It is a
// [net.Addr] and can be compared by ==.
//
// What a read gives can be given to a write: the answer then comes from the address that was asked. Local, Interface
// and FlowLabel are zero unless the connection was made with flowInfo=yes.
type Addr struct {
	// The peer. A link-local address has a zone: read, the interface's name; to write, its name or index. IPv4 is never
	// in IPv6 form.
	netip.AddrPort
	// FlowLabel of an IPv6 datagram, 20 bits (RFC 6437). To write, 0 leaves it to the system. A label that was heard is
	// sent back, unless the kernel refuses it because another program holds it for itself.
	FlowLabel uint32
	// Interface is the index of the interface that the datagram came in on. To write, it is the way out to a link-local
	// peer without a zone; elsewhere the routes decide. 0 is none.
	Interface int
	// Local is the address that the datagram was sent to; that may be a broadcast or multicast address, from which no
	// answer comes. To write, it is the source address, which this host must have; the zero Addr leaves it to the system.
	Local netip.Addr

	heard packetinfo.Heard
}

// Network returns "udp".
func (a Addr) Network() string { return "udp" }

// String returns the peer's address and port.
func (a Addr) String() string { return a.AddrPort.String() }

func (a Addr) info() packetinfo.Info {
	return packetinfo.Info{Peer: a.AddrPort, Local: a.Local, Interface: a.Interface, FlowLabel: a.FlowLabel, Heard: a.heard}
}

func addrOf(i packetinfo.Info) Addr {
	return Addr{AddrPort: i.Peer, FlowLabel: i.FlowLabel, Interface: i.Interface, Local: i.Local, heard: i.Heard}
}

// A Conn is a UDP socket that is not connected and tells more of each datagram than a *net.UDPConn does. It may be used
// from several goroutines at once.
type Conn struct{ info *packetinfo.Conn }

var (
	_ net.PacketConn = (*Conn)(nil)
	_ syscall.Conn   = (*Conn)(nil)
	_ net.Addr       = Addr{}
)

// ReadFromAddr reads one datagram into b and tells whose it is, without an allocation. A datagram without data gives 0
// and no error. For one that is larger than b the error is [ErrTruncated], in a *net.OpError as all errors are, and b
// and the address are right.
func (c *Conn) ReadFromAddr(b []byte) (int, Addr, error) {
	n, info, err := c.info.Read(b)
	return n, addrOf(info), err
}

// WriteToAddr sends b as one datagram, without an allocation. Errors are a *net.OpError; EINVAL says that the Local of
// the address is none of this host's, or that a link-local peer has neither zone nor interface.
func (c *Conn) WriteToAddr(b []byte, to Addr) (int, error) { return c.info.Write(b, to.info()) }

// ReadFrom is [Conn.ReadFromAddr]; the address is an *[Addr].
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) { return sockaddr.ReadFrom(c.ReadFromAddr(b)) }

// WriteTo is [Conn.WriteToAddr] for an [Addr], an *Addr or a *[net.UDPAddr].
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	return sockaddr.WriteTo(c, b, to, func(peer netip.AddrPort) Addr { return Addr{AddrPort: peer} })
}

// NetConn returns the socket, a *net.UDPConn, for what a Conn does not have itself. With gro=yes, reading from it gives
// several datagrams at once.
func (c *Conn) NetConn() net.Conn { return c.info.UDP() }

// SyscallConn returns the socket for its options; see [Conn.NetConn] for reading.
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return c.info.UDP().SyscallConn() }

// LocalAddr returns the address that the socket is bound to, a *net.UDPAddr.
func (c *Conn) LocalAddr() net.Addr { return c.info.UDP().LocalAddr() }

// Close closes the socket. Reads and writes that wait fail with net.ErrClosed.
func (c *Conn) Close() error { return c.info.Close() }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *Conn) SetDeadline(t time.Time) error { return c.info.UDP().SetDeadline(t) }

// SetReadDeadline sets the time after which reads fail with os.ErrDeadlineExceeded, those that wait too.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.info.UDP().SetReadDeadline(t) }

// SetWriteDeadline sets the time after which writes fail with os.ErrDeadlineExceeded, those that wait too.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.info.UDP().SetWriteDeadline(t) }

// SetReadBuffer sets the size of the socket's receive buffer in bytes (SO_RCVBUF).
func (c *Conn) SetReadBuffer(bytes int) error { return c.info.UDP().SetReadBuffer(bytes) }

// SetWriteBuffer sets the size of the socket's send buffer in bytes (SO_SNDBUF).
func (c *Conn) SetWriteBuffer(bytes int) error { return c.info.UDP().SetWriteBuffer(bytes) }
