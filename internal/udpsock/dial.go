package udpsock

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/epctl/endpoint/internal/flowlabel"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/trace"
)

// MaxSegment is the largest payload of a datagram, IPv6 without jumbograms (RFC 8200 section 3).
const MaxSegment = 1<<16 - 1 - 8

// A DialSpec says how to connect; to whom is told with each dial. So a plugin that finds the address itself, by a name
// for one, makes one Dialer for each family.
type DialSpec struct {
	Layer     string     // name of the plugin, for trace events; "" where the caller tells them
	LocalAddr netip.Addr // local address with its zone; the zero Addr lets the system choose
	LocalPort uint16     // local port; 0 lets the system choose
	FlowLabel uint32     // IPv6 flow label, Linux only; 0 is none
	Segment   int        // cut each write into datagrams of so many bytes (UDP_SEGMENT, udp(7)), Linux only; 0 does not
	Options   sockopt.Packet
}

// Problems returns what is wrong with the spec without asking the system, under the names bindAddress, flowLabel,
// segment and those of the socket options. The network is "udp4", "udp6", or "udp" where either may be tried.
func (s DialSpec) Problems(network string) []sockopt.Problem {
	var list []sockopt.Problem
	bad := func(param, message string) { list = append(list, sockopt.Problem{Param: param, Message: message}) }
	if s.LocalAddr.IsValid() {
		list = addrProblems(network, "bindAddress", s.LocalAddr)
	}
	switch {
	case s.FlowLabel > flowlabel.Max:
		bad("flowLabel", fmt.Sprintf("is more than 20 bits (%d)", flowlabel.Max))
	case s.FlowLabel != 0 && (network == "udp4" || s.LocalAddr.Is4()):
		bad("flowLabel", "is for IPv6 only")
	}
	if s.Segment < 0 || s.Segment > MaxSegment {
		bad("segment", fmt.Sprintf("must be between 1 and %d bytes", MaxSegment))
	}
	return append(list, s.Options.Problems(s.narrow(network))...)
}

// RemoteProblems returns what is wrong with connecting to remote over network ("udp4", "udp6" or "udp") from the
// spec's local address: remote's own faults, and families that do not go together, under the names host and port. The
// broadcast address is fine.
func (s DialSpec) RemoteProblems(network string, remote netip.AddrPort) []sockopt.Problem {
	list := portProblems("port", remote.Port())
	addr := remote.Addr()
	if addr != netip.AddrFrom4([4]byte{255, 255, 255, 255}) || network == "udp6" {
		list = append(list, addrProblems(network, "host", addr)...)
	}
	if s.LocalAddr.IsValid() && addr.IsValid() && !addr.Is4In6() && s.LocalAddr.Is4() != addr.Is4() {
		message := fmt.Sprintf("%s and %s are of different families", addr, s.LocalAddr)
		list = append(list, sockopt.Problem{Param: "host", Message: message, With: "bindAddress"})
	}
	return list
}

// narrow returns the network that is left of "udp" when the local address or a flow label decides the family.
func (s DialSpec) narrow(network string) string {
	switch {
	case network != "udp":
		return network
	case s.FlowLabel != 0:
		return "udp6"
	case s.LocalAddr.IsValid():
		return networkOf(s.LocalAddr)
	}
	return "udp"
}

// A Dialer makes connected sockets by one spec, any number of them and from any goroutine.
type Dialer struct {
	spec   DialSpec
	dialer net.Dialer
	source net.Addr // as in errors
}

// NewDialer prepares for s, which has no [DialSpec.Problems]. It does no I/O.
func NewDialer(s DialSpec) *Dialer {
	d := &Dialer{spec: s}
	d.dialer.Control = hooks(s.Options.Control(), segmentHook(s.Segment))
	if s.LocalAddr.IsValid() || s.LocalPort != 0 {
		// The IP is nil where only the port is given, which package net takes for either family.
		d.source = localAddr(s.LocalAddr, s.LocalPort)
		d.dialer.LocalAddr = d.source
	}
	return d
}

func localAddr(a netip.Addr, port uint16) *net.UDPAddr {
	return &net.UDPAddr{IP: a.AsSlice(), Zone: a.Zone(), Port: int(port)}
}

func segmentHook(size int) sockopt.Control {
	if size == 0 {
		return nil
	}
	return func(_, _ string, c syscall.RawConn) error { return setSegment(c, size) }
}

// hooks returns a hook that runs those of the list that are not nil, or nil.
func hooks(list ...sockopt.Control) sockopt.Control {
	var all sockopt.Control
	for _, next := range list {
		first := all
		switch {
		case next == nil:
		case first == nil:
			all = next
		default:
			all = func(network, address string, c syscall.RawConn) error {
				if err := first(network, address, c); err != nil {
					return err
				}
				return next(network, address, c)
			}
		}
	}
	return all
}

// Dial connects to remote: each write is a datagram to it, or several by the spec's Segment, and what others send does
// not come in. Nothing is sent yet, so that nobody need be there.
//
// Errors are a *net.OpError as from package net. A zone that remote or the local address has is in the connection's
// addresses under the name that was given.
func (d *Dialer) Dial(ctx context.Context, remote netip.AddrPort) (*net.UDPConn, error) {
	if trace.From(ctx) == nil {
		return d.Attempt(ctx, remote)
	}
	span := trace.StartAttempt(ctx, d.spec.Layer, networkOf(remote.Addr()), netAddr(remote))
	c, err := d.Attempt(ctx, remote)
	if err != nil {
		span.End(nil, err)
		return nil, err
	}
	span.End(c.LocalAddr(), nil)
	return c, nil
}

// Attempt is Dial for a caller that tells package trace about the attempt itself, as one that races addresses does.
func (d *Dialer) Attempt(ctx context.Context, remote netip.AddrPort) (*net.UDPConn, error) {
	addr, index, err := indexed(remote.Addr())
	if err != nil {
		return nil, d.opError(remote, err)
	}
	dialer, err := d.ready()
	if err != nil {
		return nil, d.opError(remote, err)
	}
	c, err := dialer.DialContext(ctx, networkOf(addr), netip.AddrPortFrom(addr, remote.Port()).String())
	if err != nil {
		return nil, asGiven(err, d.source, netAddr(remote))
	}
	udp := c.(*net.UDPConn)
	named(udp.RemoteAddr(), remote.Addr().Zone())
	named(udp.LocalAddr(), d.localZone(remote))
	if err := d.label(udp, flowlabel.Address{AddrPort: remote, ZoneIndex: index}); err != nil {
		_ = udp.Close()
		return nil, d.opError(remote, err)
	}
	return udp, nil
}

// ready returns a net.Dialer whose local address package net can take as it is: a zone is looked up each time.
func (d *Dialer) ready() (*net.Dialer, error) {
	if d.spec.LocalAddr.Zone() == "" {
		return &d.dialer, nil
	}
	local, _, err := indexed(d.spec.LocalAddr)
	if err != nil {
		return nil, err
	}
	dialer := d.dialer
	dialer.LocalAddr = localAddr(local, d.spec.LocalPort)
	return &dialer, nil
}

// localZone: a link-local address of ours that the system chose is on the interface of the peer's.
func (d *Dialer) localZone(remote netip.AddrPort) string {
	if zone := d.spec.LocalAddr.Zone(); zone != "" {
		return zone
	}
	return remote.Addr().Zone()
}

// label connects once more, because package net can't connect with a flow label.
func (d *Dialer) label(c *net.UDPConn, to flowlabel.Address) error {
	if d.spec.FlowLabel == 0 {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return flowlabel.Connect(raw, d.spec.FlowLabel, flowlabel.Address{}, to)
}

func (d *Dialer) opError(remote netip.AddrPort, err error) error {
	return &net.OpError{Op: "dial", Net: networkOf(remote.Addr()), Source: d.source, Addr: netAddr(remote), Err: err}
}

// A Client is a Dialer that connects to one address: a datagram client.
type Client struct {
	dialer *Dialer
	remote netip.AddrPort
}

// NewClient prepares for connections by s to remote. Neither has problems.
func NewClient(s DialSpec, remote netip.AddrPort) *Client { return &Client{NewDialer(s), remote} }

// DialPacket connects as [Dialer.Dial] does; the connection is a *net.UDPConn.
func (c *Client) DialPacket(ctx context.Context) (net.Conn, error) {
	conn, err := c.dialer.Dial(ctx, c.remote)
	if err != nil {
		return nil, err
	}
	return conn, nil
}
