package udpsock

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/sockaddr"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/trace"
)

// A ListenSpec says what to bind.
type ListenSpec struct {
	Layer     string             // name of the plugin, for trace events
	Addr      netip.AddrPort     // address to bind, with its zone; port 0 picks a free one
	DualStack bool               // Addr is IPv6, and IPv4 may come in too (IPV6_V6ONLY=0)
	Tell      packetinfo.Options // what the kernel is to tell with each datagram
	Options   sockopt.Packet
}

// Problems returns what is wrong with the spec without asking the system, under the names interface, v6only and those
// of the socket options. The network is "udp4", "udp6", or "udp" where the interface decides.
func (s ListenSpec) Problems(network string) []sockopt.Problem {
	list := sockaddr.Problems(network, "interface", s.Addr.Addr())
	options := sockaddr.UDP.Network(s.Addr.Addr())
	if s.DualStack {
		options = "udp"
		list = append(list, sockaddr.DualStackProblems(s.Addr.Addr())...)
	}
	return append(list, s.Options.Problems(options)...)
}

// A Listener makes sockets by one spec, any number of times and from any goroutine.
type Listener struct {
	spec    ListenSpec
	network string
	config  net.ListenConfig
}

// NewListener prepares for s, which has no [ListenSpec.Problems]. It does no I/O.
//
// An IPv4 address, 0.0.0.0 too, is a socket of the family AF_INET. An IPv6 address is AF_INET6 with IPV6_V6ONLY=1,
// whatever the system's default, so that an IPv4 socket can have the same port; DualStack makes that 0. SO_REUSEADDR is
// never set: with it another program could bind the same port and take the datagrams (LI-09).
func NewListener(s ListenSpec) *Listener {
	l := &Listener{spec: s, network: sockaddr.UDP.Network(s.Addr.Addr())}
	if s.DualStack {
		// Package net leaves IPV6_V6ONLY alone for "udp6", and for "udp" it clears it if it can.
		l.network = "udp"
	}
	l.config.Control = hooks(l.dualStack(), l.as(s.Options.Control()), l.tell())
	return l
}

func (l *Listener) dualStack() sockopt.Control {
	if !l.spec.DualStack {
		return nil
	}
	return func(_, _ string, c syscall.RawConn) error { return sockopt.SetDualStack(c) }
}

// as gives a hook the network of the spec; package net says "udp6" where it means both.
func (l *Listener) as(hook sockopt.Control) sockopt.Control {
	if hook == nil {
		return nil
	}
	return func(_, address string, c syscall.RawConn) error { return hook(l.network, address, c) }
}

func (l *Listener) tell() sockopt.Control {
	if l.spec.Tell == (packetinfo.Options{}) {
		return nil
	}
	return func(_, _ string, c syscall.RawConn) error { return l.spec.Tell.Set(l.network, c) }
}

// Listen binds. The context bounds this call only.
//
// Errors are a *net.OpError as from package net. The socket's LocalAddr has the zone that the spec has.
func (l *Listener) Listen(ctx context.Context) (*net.UDPConn, error) {
	c, err := l.listen(ctx)
	if t := trace.From(ctx); t != nil {
		event := trace.Event{Kind: trace.Listening, Layer: l.spec.Layer, Network: l.network, Local: sockaddr.UDP.NetAddr(l.spec.Addr), Err: err}
		if err == nil {
			event.Local = c.LocalAddr()
		}
		t.Emit(event)
	}
	return c, err
}

func (l *Listener) listen(ctx context.Context) (*net.UDPConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, l.opError(err)
	}
	addr, err := sockaddr.Indexed(l.spec.Addr.Addr())
	if err != nil {
		return nil, l.opError(err)
	}
	c, err := l.config.ListenPacket(ctx, l.network, netip.AddrPortFrom(addr, l.spec.Addr.Port()).String())
	if err != nil {
		return nil, sockaddr.UDP.AsGiven(err, netip.AddrPort{}, l.spec.Addr)
	}
	sockaddr.Named(c.LocalAddr(), l.spec.Addr.Addr().Zone())
	return c.(*net.UDPConn), nil
}

func (l *Listener) opError(err error) error {
	return &net.OpError{Op: "listen", Net: l.network, Addr: sockaddr.UDP.NetAddr(l.spec.Addr), Err: err}
}
