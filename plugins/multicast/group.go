package multicast

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/epctl/endpoint/internal/mcast"
)

// A Membership is a group that a [Conn] is joined to on one interface, at the moment.
type Membership struct {
	Group     netip.Addr
	Source    netip.Addr // the sender that is heard, one of several perhaps; the zero Addr for any
	Interface string     // name
	Index     int
}

// JoinGroup joins group for all senders, on the interface that is given by its name, its index in decimal or its
// address, or by "*" on each that is up and takes part in multicast. The membership follows the interface as those of
// the endpoint's description do. An empty text leaves the choice of one interface as the parameter interface does.
//
// A source-specific group is refused (RFC 4604 section 2.1). [ErrNoInterface] is for an interface that does not exist,
// EADDRINUSE for a group that is joined there already. Where the kernel's limit is reached, the error names its sysctl.
func (c *Conn) JoinGroup(group netip.Addr, iface string) error {
	if groupProblem(group) == "" && mcast.SourceSpecific(group) {
		return c.groupError("join", group, fmt.Errorf("a source-specific group has no membership for all senders: %w", syscall.EINVAL))
	}
	return c.change("join", mcast.Channel{Group: group}, iface, c.socket.Join)
}

// LeaveGroup undoes a [Conn.JoinGroup], or what the endpoint's description asked for, with the same text for the
// interface; an empty text leaves the group on all interfaces. The error for a group that is not joined so is
// EADDRNOTAVAIL.
func (c *Conn) LeaveGroup(group netip.Addr, iface string) error {
	return c.change("leave", mcast.Channel{Group: group}, iface, c.socket.Leave)
}

// JoinSourceGroup joins group for one sender. It may be called for several, not for a group that JoinGroup has joined on
// the same interface. The group may be any: that only source-specific ones can have a source, as in a description, is
// not the kernel's rule (RFC 3376 section 3.1). Otherwise it is as JoinGroup.
func (c *Conn) JoinSourceGroup(group, source netip.Addr, iface string) error {
	return c.changeSource("join", group, source, iface, c.socket.Join)
}

// LeaveSourceGroup undoes a [Conn.JoinSourceGroup], as LeaveGroup does a JoinGroup.
func (c *Conn) LeaveSourceGroup(group, source netip.Addr, iface string) error {
	return c.changeSource("leave", group, source, iface, c.socket.Leave)
}

func (c *Conn) changeSource(op string, group, source netip.Addr, iface string, do func(mcast.Channel, mcast.Selector) error) error {
	if problem := sourceProblem(source, group); groupProblem(group) == "" && problem != "" {
		return c.groupError(op, group, fmt.Errorf("the source %s %s: %w", source, problem, syscall.EINVAL))
	}
	return c.change(op, mcast.Channel{Group: group, Source: source}, iface, do)
}

func (c *Conn) change(op string, channel mcast.Channel, iface string, do func(mcast.Channel, mcast.Selector) error) error {
	group := channel.Group
	if problem := groupProblem(group); problem != "" {
		return c.groupError(op, group, fmt.Errorf("%s %s: %w", group, problem, syscall.EINVAL))
	}
	if group.Is4() != (c.udp().LocalAddr().(*net.UDPAddr).IP.To4() != nil) {
		return c.groupError(op, group, fmt.Errorf("the socket is of the other family: %w", syscall.EAFNOSUPPORT))
	}
	s, err := selector(iface, group)
	if err == nil {
		err = do(channel, s)
	}
	if err != nil {
		return c.groupError(op, group, err)
	}
	return nil
}

// selector reads an interface; "" is the zero Selector.
func selector(iface string, group netip.Addr) (mcast.Selector, error) {
	var s mcast.Selector
	if iface == "" {
		return s, nil
	}
	if err := s.UnmarshalText([]byte(iface)); err != nil {
		return s, fmt.Errorf("%w: %w", ErrNoInterface, err)
	}
	if fault := interfaceFault("interface", s, group); fault != nil {
		return s, fmt.Errorf("%w: %w", ErrNoInterface, fault)
	}
	return s, nil
}

func (c *Conn) groupError(op string, group netip.Addr, err error) error {
	return c.opError(op, &net.IPAddr{IP: group.AsSlice(), Zone: group.Zone()}, err)
}

// Groups returns what is joined at the moment, in the order of groups, senders and interfaces: of what is wanted that
// which the interfaces of the moment, and the kernel's limits, let it have.
func (c *Conn) Groups() []Membership {
	var list []Membership
	for _, m := range c.socket.Joined() {
		list = append(list, Membership{Group: m.Group, Source: m.Source, Interface: m.Interface, Index: m.Index})
	}
	return list
}

// SetOutgoingInterface lets datagrams to groups leave by the interface that is given by its name, its index in decimal
// or its address, also after it was made anew; while it is gone, they are refused. An empty text leaves it to the
// routes. [ErrNoInterface] is for an interface that does not exist.
func (c *Conn) SetOutgoingInterface(iface string) error {
	s, err := selector(iface, c.anyGroup())
	if err == nil {
		err = c.socket.SetOutgoing(s)
	}
	if err != nil {
		return c.opError("set outgoing interface", nil, err)
	}
	return nil
}

// anyGroup is a group of the socket's family, against which the address of an interface is checked.
func (c *Conn) anyGroup() netip.Addr {
	if c.udp().LocalAddr().(*net.UDPAddr).IP.To4() != nil {
		return netip.AddrFrom4([4]byte{239})
	}
	return netip.IPv6LinkLocalAllNodes()
}

// OutgoingInterface returns the name of the interface that datagrams to groups leave by. It is empty where the routes
// decide, and while the interface is gone.
func (c *Conn) OutgoingInterface() string {
	if c.socket.Outgoing().IsZero() {
		return ""
	}
	return c.socket.Name(c.socket.Way())
}

// SetHops sets how many routers and hosts, one behind the other, a datagram to a group may reach: the TTL or the hop
// limit, 0 to 255.
func (c *Conn) SetHops(hops int) error {
	err := error(syscall.EINVAL)
	if hops >= 0 && hops <= 255 {
		err = c.socket.SetHops(hops)
	}
	if err != nil {
		return c.opError("set hops", nil, err)
	}
	return nil
}

// SetLoopback says whether receivers on this host hear the socket's datagrams to groups too.
func (c *Conn) SetLoopback(on bool) error {
	if err := c.socket.SetLoopback(on); err != nil {
		return c.opError("set loopback", nil, err)
	}
	return nil
}
