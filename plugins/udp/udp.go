// Package udp is the endpoint udp: datagrams over IPv4 or IPv6, between addresses. What it makes is a *net.UDPConn, or
// where asked for a [Conn], which knows of each datagram to which local address it was sent and over which interface.
package udp

import (
	"context"
	"net"
	"net/netip"

	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/udpsock"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the endpoint udp. Its clients make a connected *net.UDPConn, its servers a *net.UDPConn, or with flowInfo or
// gro a *Conn.
var Plugin = registry.Plugin{
	Name:         "udp",
	Doc:          "UDP over IPv4 or IPv6, between addresses.",
	PacketClient: registry.For(newClient),
	PacketServer: registry.For(newServer),
}

type clientOptions struct {
	Host        netip.Addr `ep:"host,required" doc:"address to send to, with a zone if link-local"`
	Port        uint16     `ep:"port,required,port" doc:"port to send to"`
	BindAddress netip.Addr `ep:"bindAddress" doc:"local address, with a zone if link-local"`
	BindPort    uint16     `ep:"bindPort,port" default:"0" doc:"local port; 0 picks a free one"`
	FlowLabel   uint32     `ep:"flowLabel" default:"0" os:"linux" doc:"flow label of 20 bits (RFC 6437), leased from the kernel; 0 is none"`
	GSO         bool       `ep:"gso" default:"no" os:"linux" doc:"let one write carry many datagrams, which the kernel or the network card cuts (UDP_SEGMENT)"`
	Segment     *int       `ep:"segment,size" os:"linux" doc:"bytes in each datagram of a write with gso=yes but the last, 1 to 65527; 1232 where not given, which fits every IPv6 link"`
	sockopt.Packet
}

// defaultSegment is what an IPv6 packet of the size that every link takes has room for (RFC 8200 section 5).
const defaultSegment = 1280 - 40 - 8

func newClient(o clientOptions) (registry.PacketClient, error) {
	remote := netip.AddrPortFrom(o.Host, o.Port)
	spec := udpsock.DialSpec{
		Layer: "udp", LocalAddr: o.BindAddress, LocalPort: o.BindPort, FlowLabel: o.FlowLabel, Options: o.Packet,
	}
	segment, problems := o.segment()
	spec.Segment = segment
	problems = append(problems, o.labelProblems()...)
	err := sockopt.Join(problems, spec.Problems("udp"), remoteProblems(spec, remote))
	if err != nil {
		return nil, err
	}
	return udpsock.NewClient(spec, remote), nil
}

func (o clientOptions) segment() (size int, problems []sockopt.Problem) {
	switch {
	case !o.GSO && o.Segment != nil:
		return 0, []sockopt.Problem{{Param: "segment", Message: "has no effect without gso=yes", With: "gso"}}
	case !o.GSO:
		return 0, nil
	case o.Segment == nil:
		return defaultSegment, nil
	case *o.Segment == 0:
		return 0, []sockopt.Problem{{Param: "segment", Message: "a datagram of 0 bytes carries nothing"}}
	}
	return *o.Segment, nil
}

func (o clientOptions) labelProblems() []sockopt.Problem {
	if o.FlowLabel == 0 || !o.Host.Is4() || o.BindAddress.Is4() {
		return nil
	}
	return []sockopt.Problem{{Param: "flowLabel", Message: "is for IPv6 only", With: "host"}}
}

// remoteProblems knows where a group belongs.
func remoteProblems(spec udpsock.DialSpec, remote netip.AddrPort) []sockopt.Problem {
	if remote.Addr().IsMulticast() {
		return []sockopt.Problem{{Param: "host", Message: remote.Addr().String() + " is a multicast group: use the endpoint multicast"}}
	}
	return spec.RemoteProblems("udp", remote)
}

type serverOptions struct {
	Port      uint16     `ep:"port,required,port" doc:"port to receive on; 0 picks a free one"`
	Interface netip.Addr `ep:"interface" default:"0.0.0.0" doc:"address to bind, with a zone if link-local; it decides the family"`
	V6Only    bool       `ep:"v6only" default:"yes" doc:"take IPv6 only where the interface is IPv6; no also takes IPv4, which needs the interface ::"`
	FlowInfo  bool       `ep:"flowInfo" default:"no" os:"linux" doc:"make a udp.Conn, which tells of each datagram its local address, its interface and its flow label, and answers from the address that was asked"`
	GRO       bool       `ep:"gro" default:"no" os:"linux" doc:"make a udp.Conn that gets several datagrams of one sender at once from the kernel and gives them one by one (UDP_GRO)"`
	sockopt.Packet
}

func newServer(o serverOptions) (registry.PacketServer, error) {
	spec := udpsock.ListenSpec{
		Layer: "udp", Addr: netip.AddrPortFrom(o.Interface, o.Port), DualStack: !o.V6Only,
		Tell: packetinfo.Options{Info: o.FlowInfo, GRO: o.GRO}, Options: o.Packet,
	}
	problems := spec.Problems("udp")
	if o.Interface.IsMulticast() {
		problems = []sockopt.Problem{{Param: "interface", Message: o.Interface.String() + " is a multicast group: use the endpoint multicast"}}
	}
	if err := sockopt.Join(problems); err != nil {
		return nil, err
	}
	return &server{udpsock.NewListener(spec), spec.Tell}, nil
}

type server struct {
	listener *udpsock.Listener
	tell     packetinfo.Options
}

func (s *server) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	c, err := s.listener.Listen(ctx)
	switch {
	case err != nil:
		return nil, err
	case s.tell == packetinfo.Options{}:
		return c, nil
	}
	info, err := packetinfo.New(c, s.tell)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return &Conn{info}, nil
}
