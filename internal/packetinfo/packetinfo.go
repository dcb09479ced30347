// Package packetinfo reads and writes datagrams together with what the kernel knows about each of them: the local
// address that it was sent to, the interface that it came in on, and its IPv6 flow label (RFC 3542 section 6, ip(7),
// ipv6(7)). So a socket that is bound to a wildcard can answer from the address that was asked, and two peers that have
// the same link-local address on two interfaces are two peers.
//
// [Options.Set] asks the kernel for it, in the Control hook of a net.ListenConfig, because a datagram that arrives
// before comes without; [New] then wraps the socket. At steady state a datagram costs no allocation.
package packetinfo

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"syscall"
)

// Supported says whether this system can do what the package is for. Where it can't, [Options.Set] fails.
const Supported = supported

// ErrTruncated says that a datagram was larger than the buffer: the buffer is full of its first bytes, and the others
// are lost.
var ErrTruncated = errors.New("datagram is larger than the buffer")

// Options say what the kernel is to tell with each datagram.
type Options struct {
	Info bool // local address, interface, flow label
	GRO  bool // let the kernel give several datagrams of one sender at once (UDP_GRO, udp(7)); Read takes them apart
}

// Set asks the kernel for what the options say, on a socket that is not bound yet. The network is "udp4", "udp6", or
// "udp" for an IPv6 socket that takes IPv4 too. The error is errors.ErrUnsupported on a system that lacks them.
func (o Options) Set(network string, c syscall.RawConn) error {
	if o == (Options{}) {
		return nil
	}
	if !Supported {
		return fmt.Errorf("information about single datagrams on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	var failed error
	err := c.Control(func(fd uintptr) { failed = o.set(int(fd), network) })
	if err != nil {
		return err
	}
	return failed
}

// An Info is what belongs to one datagram.
type Info struct {
	// Peer sent it, or shall have it. A link-local address has a zone: read, the interface's name of this moment; to
	// write, a name or an index. IPv4 is never in IPv6 form.
	Peer netip.AddrPort
	// Local is the address that it was sent to, which may be a multicast or broadcast address, without a zone; to
	// write, the address that it shall come from. The zero Addr leaves that to the system.
	Local netip.Addr
	// Interface is the index of the interface that it came in on. To write, it is the way out for a link-local or
	// multicast Peer that has no zone, and for others from a link-local Local; in all other cases the routes decide. 0
	// is none.
	Interface int
	// FlowLabel of an IPv6 datagram (RFC 6437), 20 bits. To write, 0 leaves it to the system.
	FlowLabel uint32
	// Heard is what only the kernel can know of a datagram that was read.
	Heard Heard
}

// Heard makes that an Info that was read can be used for the answer as it is. The zero Heard is right for all others.
type Heard struct {
	label     uint32 // as it came in: to be sent back if that works
	broadcast bool   // Local is not an address of this host
}

// A Conn is a UDP socket that is not connected. It may be used from several goroutines at once. What it does not do
// itself, such as deadlines, is done on the socket.
type Conn struct {
	udp   *net.UDPConn
	raw   syscall.RawConn
	ipv6  bool
	zones zones
	gro   *splitter // nil without GRO
}

// New wraps a socket on which the options are set.
func New(c *net.UDPConn, o Options) (*Conn, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	conn := &Conn{udp: c, raw: raw, ipv6: isIPv6(c)}
	conn.zones.init(raw)
	if o.GRO {
		conn.gro = &splitter{buf: make([]byte, maxDatagram)}
	}
	return conn, nil
}

func isIPv6(c *net.UDPConn) bool {
	local, ok := c.LocalAddr().(*net.UDPAddr)
	return ok && local.IP.To4() == nil
}

// UDP returns the socket.
func (c *Conn) UDP() *net.UDPConn { return c.udp }

// Close closes the socket. Reads that wait fail.
func (c *Conn) Close() error { return c.udp.Close() }

// maxDatagram is more than the largest payload of a UDP datagram, and the most that the kernel puts together.
const maxDatagram = 1 << 16

// Read reads one datagram into b. A datagram without data gives 0 and no error. For one that is larger than b the error
// is ErrTruncated, in a *net.OpError as all errors are, and the Info is right.
func (c *Conn) Read(b []byte) (int, Info, error) {
	if c.gro != nil {
		return c.gro.read(c, b)
	}
	var m message
	err := c.receive(b, &m)
	return m.n, m.Info, err
}

// A message is what recvmsg(2) gives.
type message struct {
	Info
	n       int
	segment int // length of each datagram in it but the last, where there are several; else 0
}

// receive reads into b and into m, which is zero. They are pointers here and below because an Info is not small.
func (c *Conn) receive(b []byte, m *message) error {
	var oob oobBuffer
	n, oobn, flags, from, err := c.udp.ReadMsgUDPAddrPort(b, oob.bytes[:])
	if err != nil {
		return err // n may be -1
	}
	m.n = n
	m.Peer = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	m.parse(oob.bytes[:oobn])
	if m.Interface != 0 && from.Addr().Zone() != "" {
		// Package net names the zone from a list that may be old, or that of another network namespace.
		m.Peer = netip.AddrPortFrom(c.zones.put(from.Addr(), m.Interface), from.Port())
	}
	if flags&truncated != 0 {
		return c.opError("read", m.Peer, ErrTruncated)
	}
	return nil
}

// Write sends b as one datagram. Errors are a *net.OpError.
func (c *Conn) Write(b []byte, to Info) (int, error) {
	index, err := c.interfaceFor(&to)
	if err != nil {
		return 0, c.opError("write", to.Peer, err)
	}
	n, err := c.send(b, &to, index)
	if err != nil && to.FlowLabel != 0 && to.FlowLabel == to.Heard.label && errors.Is(err, syscall.EINVAL) {
		// Somebody on this host holds labels for himself alone, so the kernel takes only leased ones. An answer is
		// right without a label too.
		to.FlowLabel = 0
		n, err = c.send(b, &to, index)
	}
	return n, err
}

func (c *Conn) send(b []byte, to *Info, index int) (int, error) {
	var oob oobBuffer
	peer := netip.AddrPortFrom(to.Peer.Addr().WithZone(""), to.Peer.Port())
	n, _, err := c.udp.WriteMsgUDPAddrPort(b, oob.build(c.ipv6, to, index), peer)
	if err != nil {
		return 0, withPeer(err, to.Peer)
	}
	return n, nil
}

// withPeer puts the peer as it was given into an error of package net, which has it without its zone.
func withPeer(err error, peer netip.AddrPort) error {
	var op *net.OpError
	if errors.As(err, &op) {
		op.Addr = net.UDPAddrFromAddrPort(peer)
	}
	return err
}

// interfaceFor returns the index of the interface that the datagram has to leave by, 0 where that is up to the routes.
func (c *Conn) interfaceFor(to *Info) (int, error) {
	switch peer := to.Peer.Addr(); {
	case peer.Zone() != "":
		return c.zones.index(peer.Zone(), to.Interface)
	case needsInterface(peer) || to.Local.Is6() && to.Local.IsLinkLocalUnicast():
		return to.Interface, nil
	}
	return 0, nil
}

func needsInterface(a netip.Addr) bool { return a.IsMulticast() || a.Is6() && a.IsLinkLocalUnicast() }

// source returns the address that to shall come from, the zero Addr where that is up to the system.
func (to *Info) source() netip.Addr {
	if to.Heard.broadcast || to.Local.IsMulticast() || to.Local.IsUnspecified() {
		return netip.Addr{}
	}
	return to.Local
}

func (c *Conn) opError(op string, peer netip.AddrPort, err error) error {
	e := &net.OpError{Op: op, Net: "udp", Source: c.udp.LocalAddr(), Err: err}
	if peer.IsValid() {
		e.Addr = net.UDPAddrFromAddrPort(peer)
	}
	return e
}

// An oobBuffer is room for the control messages of one datagram. It stays on the stack.
type oobBuffer struct {
	_     [0]uint64 // for the alignment that struct cmsghdr needs
	bytes [oobSize]byte
	used  int
}
