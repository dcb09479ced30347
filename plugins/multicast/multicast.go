// Package multicast is the endpoint multicast: datagrams to groups, over IPv4 or IPv6. A server joins groups on
// interfaces and stays joined while those come, go and are made anew; a client sends to a group. What both make is a
// [Conn].
package multicast

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"

	"github.com/epctl/endpoint/internal/mcast"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the endpoint multicast. Its clients and servers make a *[Conn].
var Plugin = registry.Plugin{
	Name:         "multicast",
	Doc:          "UDP multicast over IPv4 or IPv6.",
	PacketClient: registry.For(newClient),
	PacketServer: registry.For(newServer),
}

// sendOptions are what a server and a client have in common beside port, group and interface.
type sendOptions struct {
	OutInterface mcast.Selector `ep:"outInterface" doc:"name, index or address of the interface that datagrams to groups leave by; where not given, the first one of interface, and with * the routes decide"`
	Hops         uint8          `ep:"hops" default:"1" doc:"routers and hosts that a datagram to a group may reach, one behind the other (TTL, hop limit): 0 stays on this host, 1 on the link"`
	Loop         bool           `ep:"loop" default:"yes" doc:"let receivers on this host hear datagrams to groups too"`
}

type clientOptions struct {
	Port      uint16           `ep:"port,required,port" doc:"port to send to"`
	Group     []netip.Addr     `ep:"group,required" os:"linux" doc:"group to send to, one"`
	Interface []mcast.Selector `ep:"interface" doc:"name, index or address of the interface to send by; of several the first; * is as if not given: the only one that takes part in multicast, or the one that the routes have for a group of more than one link"`
	Source    []netip.Addr     `ep:"source" doc:"address of this host to send from, one, to a source-specific group: what receivers have as source"`
	sendOptions
	sockopt.Packet
}

func newClient(o clientOptions) (registry.PacketClient, error) {
	var f faults
	if o.Port == 0 {
		f.add(registry.Bad("port", "0 is no port to send to"))
	}
	if len(o.Group) > 1 {
		return nil, registry.Bad("group", "a client sends to one group").WithFix(o.Group[0].String())
	}
	f.groups(o.Group)
	f.sources(o.Source, o.Group)
	if len(o.Source) > 1 {
		f.add(registry.Bad("source", "a client sends from one address").WithFix(o.Source[0].String()))
	}
	if err := f.rest(o.Interface, o.OutInterface, o.Group, o.Packet); err != nil {
		return nil, err
	}
	spec := o.spec("dial", netip.AddrPortFrom(o.Group[0], o.Port), o.Packet)
	if len(o.Interface) > 0 && !o.Interface[0].IsAll() {
		spec.Interfaces = o.Interface
	}
	c := client{spec: spec}
	if len(o.Source) > 0 {
		c.source = o.Source[0]
	}
	return c, nil
}

func (o sendOptions) spec(op string, remote netip.AddrPort, options sockopt.Packet) mcast.Spec {
	return mcast.Spec{
		Layer: "multicast", Op: op, Remote: remote,
		Outgoing: o.OutInterface, Hops: int(o.Hops), Loop: o.Loop, Options: options,
	}
}

type client struct {
	spec   mcast.Spec
	source netip.Addr
}

// DialPacket makes a *Conn that sends to the group.
func (c client) DialPacket(ctx context.Context) (net.Conn, error) {
	socket, err := mcast.Open(ctx, c.spec)
	if err != nil {
		return nil, err
	}
	return &Conn{socket: socket, remote: c.spec.Remote, source: c.source, unicast: true}, nil
}

type serverOptions struct {
	Port      uint16           `ep:"port,required,port" doc:"port to receive on; 0 picks a free one"`
	Group     []netip.Addr     `ep:"group,required" os:"linux" doc:"group to join, or several of one family"`
	Interface []mcast.Selector `ep:"interface" doc:"name, index or address of the interface to join on, or several, or * for each that is up and takes part in multicast; where not given, the only such one, or the one that the routes have for a group of more than one link"`
	Source    []netip.Addr     `ep:"source" doc:"hear only these senders; the groups must be source-specific ones, in 232.0.0.0/8 or ff3x::/32 (RFC 4607), and those need it"`
	sendOptions
	Reuse   bool `ep:"reuse" default:"yes" doc:"let others on this host receive on the same port, each getting all datagrams to its groups (SO_REUSEADDR)"`
	Unicast bool `ep:"unicast" default:"no" doc:"take datagrams to this host's own addresses too"`
	sockopt.Packet
}

func newServer(o serverOptions) (registry.PacketServer, error) {
	var f faults
	f.groups(o.Group)
	f.sources(o.Source, o.Group)
	f.lackOfSource(o.Source, o.Group)
	if err := f.rest(o.Interface, o.OutInterface, o.Group, o.Packet); err != nil {
		return nil, err
	}
	spec := o.spec("listen", netip.AddrPortFrom(o.Group[0], o.Port), o.Packet)
	spec.Port, spec.Reuse = o.Port, o.Reuse
	spec.Interfaces, spec.Channels = o.Interface, o.channels()
	return server{spec, o.Unicast}, nil
}

// channels is each group by itself, or with each source.
func (o serverOptions) channels() []mcast.Channel {
	sources := o.Source
	if len(sources) == 0 {
		sources = []netip.Addr{{}}
	}
	var list []mcast.Channel
	for _, g := range o.Group {
		for _, s := range sources {
			list = append(list, mcast.Channel{Group: g, Source: s})
		}
	}
	return list
}

type server struct {
	spec    mcast.Spec
	unicast bool
}

// ListenPacket makes a *Conn that has joined all groups on all interfaces.
func (s server) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	socket, err := mcast.Open(ctx, s.spec)
	if err != nil {
		return nil, err
	}
	return &Conn{socket: socket, unicast: s.unicast}, nil
}

// faults collects what is wrong with the parameters.
type faults []error

func (f *faults) add(fault *registry.Fault) { *f = append(*f, fault) }

// rest checks what is checked against groups that are right, and returns all faults.
func (f *faults) rest(list []mcast.Selector, out mcast.Selector, groups []netip.Addr, options sockopt.Packet) error {
	if len(groups) > 0 && !slices.ContainsFunc(groups, func(g netip.Addr) bool { return groupProblem(g) != "" }) {
		f.interfaces(list, out, groups)
		f.options(options, groups[0])
	}
	return errors.Join(*f...)
}
