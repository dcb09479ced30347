package mcast

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/trace"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A Spec says what socket to open. It has no faults that show without I/O.
type Spec struct {
	Layer      string         // name of the plugin, for trace events
	Op         string         // what errors say it was for: "listen" or "dial"
	Remote     netip.AddrPort // the group, for errors, and where Interfaces is empty for the choice; its family is the socket's
	Port       uint16         // local port; 0 picks a free one
	Channels   []Channel      // to join on the interfaces
	Interfaces []Selector     // empty lets Open choose one
	Outgoing   Selector       // zero is the first of Interfaces, unless that is all
	Hops       int            // TTL or hop limit of datagrams to groups, 0 to 255
	Loop       bool           // receivers on this host hear datagrams to groups too
	Reuse      bool           // others may bind the port too (SO_REUSEADDR)
	Options    sockopt.Packet
}

// A Socket is a UDP socket that is bound to the wildcard address of one family, with its memberships.
type Socket struct {
	*Memberships
	Packets *packetinfo.Conn
	options multicastOptions
}

// multicastOptions is what both families have in common in package golang.org/x/net; the hop limit is not among it.
type multicastOptions interface {
	JoinGroup(*net.Interface, net.Addr) error
	LeaveGroup(*net.Interface, net.Addr) error
	JoinSourceSpecificGroup(i *net.Interface, group, source net.Addr) error
	LeaveSourceSpecificGroup(i *net.Interface, group, source net.Addr) error
	SetMulticastInterface(*net.Interface) error
	SetMulticastLoopback(bool) error
}

func (s Spec) network() string {
	if s.Remote.Addr().Is4() {
		return "udp4"
	}
	return "udp6"
}

// Open makes the socket and joins all channels on all interfaces, or fails. An interface that does not exist is
// netif.ErrNoInterface. Errors are a *net.OpError. The context bounds this call only; if it has a tracer, that one is
// told of what changes later, too.
func Open(ctx context.Context, s Spec) (*Socket, error) {
	t := trace.From(ctx)
	socket, err := s.open(ctx, t)
	event := trace.Event{Kind: trace.Listening, Layer: s.Layer, Network: s.network(), Local: s.addr()}
	if err != nil {
		event.Err = s.opError(err)
		t.Emit(event)
		return nil, event.Err
	}
	event.Local = socket.Packets.UDP().LocalAddr()
	t.Emit(event)
	return socket, nil
}

func (s Spec) addr() net.Addr { return net.UDPAddrFromAddrPort(s.Remote) }

// opError leaves alone what package net made of a failure to bind.
func (s Spec) opError(err error) error {
	if _, ok := err.(*net.OpError); ok {
		return err
	}
	return &net.OpError{Op: s.Op, Net: s.network(), Addr: s.addr(), Err: err}
}

func (s Spec) open(ctx context.Context, t trace.Tracer) (*Socket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	watch, err := netif.Watch(ctx)
	if err != nil {
		return nil, err
	}
	if s, err = s.resolve(watch.Snapshot()); err != nil {
		_ = watch.Close()
		return nil, err
	}
	udp, err := s.bind(ctx)
	if err != nil {
		_ = watch.Close()
		return nil, err
	}
	socket, err := newSocket(udp, watch, s.teller(t, udp.LocalAddr()))
	if err != nil {
		return nil, errors.Join(err, udp.Close(), watch.Close())
	}
	if err := socket.setUp(s); err != nil {
		_ = socket.Close()
		return nil, err
	}
	return socket, nil
}

// resolve makes sure that the interfaces exist. Where none is said, Join chooses for each channel by itself.
func (s Spec) resolve(snapshot netif.Snapshot) (_ Spec, err error) {
	selectors := slices.Clone(s.Interfaces)
	for n := range selectors {
		if selectors[n], err = s.check(selectors[n], snapshot); err != nil {
			return s, err
		}
	}
	if len(selectors) == 0 {
		selectors = []Selector{{}}
	}
	s.Interfaces = selectors
	switch first := selectors[0]; {
	case !s.Outgoing.IsZero():
		s.Outgoing, err = s.check(s.Outgoing, snapshot)
	case first.IsZero():
		s.Outgoing, err = choose(snapshot, s.Remote.Addr())
	case !first.IsAll():
		s.Outgoing = first
	}
	if err != nil || s.Outgoing.IsZero() {
		return s, err
	}
	return s, sensible(s.Remote.Addr(), s.Outgoing.first(snapshot))
}

// check looks for the interface also under other names that the system keeps for it (Linux: altname), which the watcher
// does not know: from then on it goes by its name.
func (s Spec) check(selector Selector, snapshot netif.Snapshot) (Selector, error) {
	err := selector.exists(snapshot)
	if err != nil && !selector.addr.IsValid() {
		index, lookup := netif.ZoneIndex(selector.text)
		if i, ok := snapshot.ByIndex(index); lookup == nil && ok {
			return Selector{text: i.Name}, nil
		}
	}
	return selector, err
}

// bind sets what has to be there before the first datagram, so that none comes in that the socket did not join.
func (s Spec) bind(ctx context.Context) (*net.UDPConn, error) {
	options := s.Options.Control()
	config := net.ListenConfig{Control: func(network, address string, c syscall.RawConn) error {
		if options != nil {
			if err := options(network, address, c); err != nil {
				return err
			}
		}
		if err := (packetinfo.Options{Info: true}).Set(network, c); err != nil {
			return err
		}
		return prepare(c, network, s.Reuse)
	}}
	address := netip.AddrPortFrom(netip.IPv6Unspecified(), s.Port)
	if s.Remote.Addr().Is4() {
		address = netip.AddrPortFrom(netip.IPv4Unspecified(), s.Port)
	}
	c, err := config.ListenPacket(ctx, s.network(), address.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

func newSocket(udp *net.UDPConn, watch watcher, tell func(Change)) (*Socket, error) {
	packets, err := packetinfo.New(udp, packetinfo.Options{Info: true})
	if err != nil {
		return nil, err
	}
	s := &Socket{Packets: packets}
	if udp.LocalAddr().(*net.UDPAddr).IP.To4() != nil {
		s.options = ipv4.NewPacketConn(udp)
	} else {
		s.options = ipv6.NewPacketConn(udp)
	}
	s.Memberships = newMemberships(kernelOf{s.options}, watch, tell)
	return s, nil
}

func (s *Socket) setUp(spec Spec) error {
	err := errors.Join(s.SetHops(spec.Hops), s.SetLoopback(spec.Loop))
	if err != nil {
		return err
	}
	if !spec.Outgoing.IsZero() {
		if err := s.SetOutgoing(spec.Outgoing); err != nil {
			return err
		}
	}
	for _, selector := range spec.Interfaces {
		for _, c := range spec.Channels {
			if err := s.Join(c, selector); err != nil {
				return fmt.Errorf("join %s: %w", c, err)
			}
		}
	}
	return nil
}

// Close closes the socket, which ends all memberships. Reads that wait fail.
func (s *Socket) Close() error {
	// In this order, or the end of the socket would look like interfaces on which nothing can be joined.
	return errors.Join(s.Memberships.Close(), s.Packets.Close())
}

// SetHops sets the TTL or the hop limit of datagrams to groups, 0 to 255.
func (s *Socket) SetHops(n int) error {
	if four, ok := s.options.(*ipv4.PacketConn); ok {
		return four.SetMulticastTTL(n)
	}
	return s.options.(*ipv6.PacketConn).SetMulticastHopLimit(n)
}

// SetLoopback says whether receivers on this host hear the socket's datagrams to groups, too.
func (s *Socket) SetLoopback(on bool) error { return s.options.SetMulticastLoopback(on) }

// teller turns changes into events.
func (s Spec) teller(t trace.Tracer, local net.Addr) func(Change) {
	if t == nil {
		return nil
	}
	return func(c Change) {
		e := trace.Event{Kind: trace.Changed, Layer: s.Layer, Network: s.network(), Local: local, Err: c.Err, Detail: c.String()}
		if c.Op == Failed {
			e.Kind = trace.Warning
		}
		t.Emit(e)
	}
}

// String tells the change in one line.
func (c Change) String() string {
	on := fmt.Sprintf("%s (index %d)", c.Interface, c.Index)
	switch c.Op {
	case Joined:
		return fmt.Sprintf("joined %s on %s", c.Channel, on)
	case Left:
		return fmt.Sprintf("left %s on %s", c.Channel, on)
	case Failed:
		return fmt.Sprintf("can't join %s on %s: %v", c.Channel, on, c.Err)
	case Outgoing:
		return "sends to groups by " + on
	case OutgoingGone:
		return fmt.Sprintf("can't send to groups: %s is gone", c.Interface)
	}
	return "no change"
}
