package hostname

import (
	"context"
	"net"
	"net/netip"

	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/udpsock"
	"github.com/epctl/endpoint/registry"
)

type packetOptions struct {
	target
	choice
	finding
	sockopt.Packet
}

// A packetClient connects to the first address, in the order of RFC 6724, to which there is a route: nothing is sent, and
// so nothing more is known of an address, and there is nothing to race or to remember.
type packetClient struct {
	engine  *happyeyeballs.Engine
	literal *udpsock.Client // where the host is an address
	host    string
	port    uint16
}

func newPacketClient(o packetOptions) (registry.PacketClient, error) {
	host, err := o.parse()
	if err != nil {
		return nil, err
	}
	if o.FlowLabel != 0 {
		o.Family = happyeyeballs.IPv6Only
	}
	if o.BindInterface != "" {
		o.Packet.BindToDevice = o.BindInterface
	}
	if err := sockopt.Join(o.choice.problems(), o.socketProblems(), o.hostProblems(host.Addr)); err != nil {
		return nil, err
	}
	c := &packetClient{host: host.Name, port: o.Port}
	if host.Addr.IsValid() {
		c.literal = udpsock.NewClient(o.socket("hostname", host.Addr.Is4()), netip.AddrPortFrom(host.Addr, o.Port))
		return c, nil
	}
	c.engine, err = o.engine()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// socket says how to connect to an address of the given family.
func (o packetOptions) socket(layer string, ipv4 bool) udpsock.DialSpec {
	return udpsock.DialSpec{
		Layer: layer, LocalAddr: o.local(ipv4), LocalPort: o.BindPort, FlowLabel: o.FlowLabel, Options: o.Packet,
	}
}

// socketProblems checks what does not depend on the host. An option for one family is right where there is a local
// address of each.
func (o packetOptions) socketProblems() []sockopt.Problem {
	spec := o.socket("", false)
	if len(o.BindAddress) == 1 {
		spec.LocalAddr = o.BindAddress[0]
		return spec.Problems("udp")
	}
	spec.LocalAddr = netip.Addr{}
	problems := spec.Problems("udp")
	for _, spec.LocalAddr = range o.BindAddress {
		for _, p := range spec.Problems("udp") {
			if p.Param == "bindAddress" {
				problems = append(problems, p)
			}
		}
	}
	return problems
}

// hostProblems checks the port, and a host that is an address; of a name nothing is known yet.
func (o packetOptions) hostProblems(addr netip.Addr) []sockopt.Problem {
	if !addr.IsValid() {
		return portProblems(o.Port)
	}
	if deny := happyeyeballs.DenyAny(o.Deny...); deny != nil {
		if err := deny(addr); err != nil {
			return []sockopt.Problem{{Param: "host", Message: err.Error(), With: "deny"}}
		}
	}
	network := "udp"
	switch {
	case o.FlowLabel != 0 && addr.Is4():
		return []sockopt.Problem{{Param: "flowLabel", Message: "is for IPv6 only", With: "host"}}
	case o.Family == happyeyeballs.IPv4Only:
		network = "udp4"
	case o.Family == happyeyeballs.IPv6Only:
		network = "udp6"
	}
	spec := o.socket("", addr.Is4())
	if !spec.LocalAddr.IsValid() && len(o.BindAddress) > 0 {
		spec.LocalAddr = o.BindAddress[0] // of the other family, which is the problem
	}
	return spec.RemoteProblems(network, netip.AddrPortFrom(addr, o.Port))
}

func portProblems(port uint16) []sockopt.Problem {
	if port != 0 {
		return nil
	}
	return []sockopt.Problem{{Param: "port", Message: "0 is no port to send to"}}
}

func (o packetOptions) engine() (*happyeyeballs.Engine, error) {
	dialers := make(map[bool]*udpsock.Dialer, 2) // by whether the remote address is IPv4
	for _, ipv4 := range []bool{true, false} {
		dialers[ipv4] = udpsock.NewDialer(o.socket("", ipv4))
	}
	c := config(o.target, o.choice, o.finding)
	c.Network, c.NoMemory = "udp", true
	c.Dial = func(ctx context.Context, remote netip.AddrPort) (net.Conn, error) {
		conn, err := dialers[remote.Addr().Is4()].Attempt(ctx, remote)
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
	return happyeyeballs.New(c)
}

// DialPacket makes a *net.UDPConn. Errors are of [happyeyeballs.Engine.Dial], for a host that is an address of
// [udpsock.Dialer.Dial].
func (c *packetClient) DialPacket(ctx context.Context) (net.Conn, error) {
	if c.literal != nil {
		return c.literal.DialPacket(ctx)
	}
	return c.engine.Dial(ctx, c.host, c.port)
}
