package tcpsock

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"github.com/epctl/endpoint/internal/sockaddr"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/trace"
)

// A ListenSpec says what to listen on.
type ListenSpec struct {
	Layer     string         // name of the plugin, for trace events
	Addr      netip.AddrPort // address to bind, with its zone; port 0 picks a free one
	DualStack bool           // Addr is IPv6, and IPv4 may come in too (IPV6_V6ONLY=0)
	Backlog   int            // connections that may wait to be accepted; 0 or less is package net's choice, the most that the system lets
	Options   sockopt.Listen
}

// Problems returns what is wrong with the spec without asking the system, under the names interface, backlog, v6only
// and those of the socket options. The network is "tcp4", "tcp6", or "tcp" where the interface decides.
func (s ListenSpec) Problems(network string) []sockopt.Problem {
	var list []sockopt.Problem
	options := sockaddr.TCP.Network(s.Addr.Addr())
	if s.DualStack {
		options = "tcp"
		list = sockaddr.DualStackProblems(s.Addr.Addr())
	}
	list = append(list, sockaddr.Problems(network, "interface", s.Addr.Addr())...)
	if s.Backlog < 0 {
		list = append(list, sockopt.Problem{Param: "backlog", Message: "can't be negative"})
	}
	return append(list, s.Options.Problems(options)...)
}

// A Listener makes listeners by one spec, any number of times and from any goroutine.
type Listener struct {
	spec    ListenSpec
	network string
	address string // of spec.Addr; used as it is where there is no zone
	config  net.ListenConfig
}

// NewListener prepares for s, which has no [ListenSpec.Problems]. It does no I/O.
//
// An IPv4 address, 0.0.0.0 too, is a socket of the family AF_INET. An IPv6 address is AF_INET6 with IPV6_V6ONLY=1,
// whatever the system's default, so that an IPv4 socket can have the same port; DualStack makes that 0.
func NewListener(s ListenSpec) *Listener {
	l := &Listener{spec: s, network: sockaddr.TCP.Network(s.Addr.Addr()), address: s.Addr.String(), config: s.Options.Config()}
	if s.DualStack {
		// Package net leaves IPV6_V6ONLY alone for "tcp6", and for "tcp" it clears it if it can.
		l.network = "tcp"
		l.config.Control = dualStack(l.config.Control)
	}
	return l
}

func dualStack(options sockopt.Control) sockopt.Control {
	return func(_, address string, c syscall.RawConn) error {
		if err := sockopt.SetDualStack(c); err != nil || options == nil {
			return err
		}
		return options("tcp", address, c)
	}
}

// Listen binds and listens. The context bounds this call only: a listener outlives it.
//
// Errors are a *net.OpError as from package net. The listener's Addr has the zone that the spec has.
func (l *Listener) Listen(ctx context.Context) (*net.TCPListener, error) {
	ln, err := l.listen(ctx)
	if t := trace.From(ctx); t != nil {
		l.tell(t, ln, err)
	}
	return ln, err
}

func (l *Listener) listen(ctx context.Context) (*net.TCPListener, error) {
	if err := ctx.Err(); err != nil {
		return nil, l.opError(err)
	}
	address := l.address
	if l.spec.Addr.Addr().Zone() != "" {
		addr, err := sockaddr.Indexed(l.spec.Addr.Addr())
		if err != nil {
			return nil, l.opError(err)
		}
		address = netip.AddrPortFrom(addr, l.spec.Addr.Port()).String()
	}
	nl, err := l.config.Listen(ctx, l.network, address)
	if err != nil {
		return nil, sockaddr.TCP.AsGiven(err, netip.AddrPort{}, l.spec.Addr)
	}
	ln := nl.(*net.TCPListener)
	if err := l.finish(ln); err != nil {
		_ = ln.Close()
		return nil, err
	}
	return ln, nil
}

func (l *Listener) finish(ln *net.TCPListener) error {
	sockaddr.Named(ln.Addr(), l.spec.Addr.Addr().Zone())
	if l.spec.Backlog <= 0 {
		return nil
	}
	if err := setBacklog(ln, l.spec.Backlog); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return l.opError(err)
	}
	return nil
}

func (l *Listener) opError(err error) error {
	return &net.OpError{Op: "listen", Net: l.network, Addr: sockaddr.TCP.NetAddr(l.spec.Addr), Err: err}
}

func (l *Listener) tell(t trace.Tracer, ln *net.TCPListener, err error) {
	event := trace.Event{Kind: trace.Listening, Layer: l.spec.Layer, Network: l.network, Err: err}
	if ln == nil {
		event.Local = sockaddr.TCP.NetAddr(l.spec.Addr)
		t.Emit(event)
		return
	}
	event.Local = ln.Addr()
	t.Emit(event)
	if l.spec.Backlog > 0 && !backlogWorks {
		t.Emit(trace.Event{Kind: trace.Warning, Layer: l.spec.Layer, Network: l.network, Local: ln.Addr(),
			Detail: "this system does not let a program choose the backlog of a listener of package net"})
	}
}
