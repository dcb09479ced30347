package udpsock

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/epctl/endpoint/internal/flowlabel"
	"github.com/epctl/endpoint/internal/sockaddr"
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
	if s.LocalAddr.IsValid() {
		list = sockaddr.Problems(network, "bindAddress", s.LocalAddr)
	}
	list = append(list, sockaddr.LabelProblems(network, s.LocalAddr, s.FlowLabel)...)
	if s.Segment < 0 || s.Segment > MaxSegment {
		list = append(list, sockopt.Problem{Param: "segment", Message: fmt.Sprintf("must be between 1 and %d bytes", MaxSegment)})
	}
	return append(list, s.Options.Problems(sockaddr.UDP.Narrow(network, s.LocalAddr, s.FlowLabel))...)
}

// RemoteProblems returns what is wrong with connecting to remote over network ("udp4", "udp6" or "udp") from the
// spec's local address: remote's own faults, and families that do not go together, under the names host and port. The
// broadcast address is fine.
func (s DialSpec) RemoteProblems(network string, remote netip.AddrPort) []sockopt.Problem {
	var list []sockopt.Problem
	if remote.Port() == 0 {
		list = append(list, sockopt.Problem{Param: "port", Message: "0 is no port to send to"})
	}
	addr := remote.Addr()
	if !sockaddr.IsBroadcast(addr) || network == "udp6" {
		list = append(list, sockaddr.Problems(network, "host", addr)...)
	}
	if s.LocalAddr.IsValid() && addr.IsValid() && !addr.Is4In6() && s.LocalAddr.Is4() != addr.Is4() {
		list = append(list, sockaddr.FamilyProblem(addr, s.LocalAddr))
	}
	return list
}

// A Dialer makes connected sockets by one spec, any number of them and from any goroutine.
type Dialer struct {
	spec   DialSpec
	dialer sockaddr.Dialer
}

// NewDialer prepares for s, which has no [DialSpec.Problems]. It does no I/O.
func NewDialer(s DialSpec) *Dialer {
	local := netip.AddrPortFrom(s.LocalAddr, s.LocalPort)
	d := &Dialer{spec: s, dialer: sockaddr.Dialer{Transport: sockaddr.UDP, Local: local}}
	d.dialer.Net.LocalAddr = sockaddr.UDP.NetAddr(local)
	d.dialer.Net.Control = hooks(s.Options.Control(), segmentHook(s.Segment))
	return d
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
	span := trace.StartAttempt(ctx, d.spec.Layer, sockaddr.UDP.Network(remote.Addr()), sockaddr.UDP.NetAddr(remote))
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
	c, at, err := d.dialer.Dial(ctx, remote)
	if err != nil {
		return nil, err
	}
	udp := c.(*net.UDPConn)
	if err := d.label(udp, flowlabel.Address{AddrPort: at, ZoneIndex: sockaddr.Index(at.Addr())}); err != nil {
		_ = udp.Close()
		return nil, d.dialer.OpError(remote, err)
	}
	return udp, nil
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
