// Package alliface is the endpoint alliface: one logical port on every local interface, over IPv4 and IPv6, for streams
// and for datagrams. What it makes follows the addresses of the machine as they come and go.
package alliface

import (
	"context"
	"net"

	"github.com/epctl/endpoint/internal/alliface"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the endpoint alliface. Its stream servers listen on a *Listener, its datagram servers on a *PacketConn.
var Plugin = registry.Plugin{
	Name:         "alliface",
	Doc:          "One port on every local interface, over IPv4 and IPv6.",
	Server:       registry.For(newServer),
	PacketServer: registry.For(newPacketServer),
}

// ErrNoAddress is what errors.Is finds in the error of a machine that has no address which is selected. The text says
// of each address why.
var ErrNoAddress = alliface.ErrNoAddress

// where says which addresses are meant, for streams and for datagrams.
type where struct {
	Port     uint16             `ep:"port,required,port" doc:"port to listen on; 0 picks one that is free on all addresses"`
	Family   string             `ep:"family" default:"any" enum:"any,4,6" doc:"IPv4, IPv6, or any for both; one that the machine does not have is left out"`
	Include  []alliface.Pattern `ep:"include" doc:"listen on these addresses only: names of interfaces, with *, ? and [a-z], addresses, and prefixes"`
	Exclude  []alliface.Pattern `ep:"exclude" doc:"never listen on these addresses, written in the same way"`
	Loopback bool               `ep:"loopback" default:"yes" doc:"listen on 127.0.0.0/8 and ::1 too"`
	Mode     string             `ep:"mode" default:"each" enum:"each,wildcard" doc:"each is a socket for each address, wildcard one for each family that takes every address"`
	Watch    bool               `ep:"watch" default:"yes" doc:"follow the addresses as they come and go; no stays with those that there are at the beginning"`
}

func (w where) spec() alliface.Spec {
	return alliface.Spec{
		Layer: "alliface", Port: w.Port, Mode: w.Mode, Watch: w.Watch,
		Selection: alliface.Selection{Family: w.Family, Include: w.Include, Exclude: w.Exclude, Loopback: w.Loopback},
	}
}

type serverOptions struct {
	where
	Backlog int `ep:"backlog" default:"0" os:"linux,darwin,freebsd,netbsd,openbsd,dragonfly" doc:"connections that may wait to be accepted, on each address; 0 is the most that the system lets"`
	sockopt.Listen
}

func newServer(o serverOptions) (registry.Server, error) {
	spec := o.spec()
	if err := sockopt.Join(spec.StreamProblems(o.Backlog, o.Listen)); err != nil {
		return nil, err
	}
	return server{alliface.NewServer(spec, o.Backlog, o.Listen)}, nil
}

type server struct{ *alliface.Server }

// Listen gives a *Listener.
func (s server) Listen(ctx context.Context) (net.Listener, error) {
	ln, err := s.Server.Listen(ctx)
	if err != nil {
		return nil, err
	}
	return &Listener{ln}, nil
}

type packetServerOptions struct {
	where
	sockopt.Packet
}

func newPacketServer(o packetServerOptions) (registry.PacketServer, error) {
	spec := o.spec()
	if err := sockopt.Join(spec.PacketProblems(o.Packet)); err != nil {
		return nil, err
	}
	return packetServer{alliface.NewPacketServer(spec, o.Packet)}, nil
}

type packetServer struct{ *alliface.PacketServer }

// ListenPacket gives a *PacketConn.
func (s packetServer) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	c, err := s.PacketServer.ListenPacket(ctx)
	if err != nil {
		return nil, err
	}
	return &PacketConn{c}, nil
}
