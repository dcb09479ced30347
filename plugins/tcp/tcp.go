// Package tcp is the endpoint tcp, as Twisted has it: a client for a name or an address of either family, and a server
// that is IPv4 unless its interface is an IPv6 address.
package tcp

import (
	"net/netip"
	"time"

	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/internal/hostname"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcphost"
	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the endpoint tcp. Its clients dial *net.TCPConn, its servers listen on *net.TCPListener.
var Plugin = registry.Plugin{
	Name:   "tcp",
	Doc:    "TCP over IPv4 or IPv6, to names and addresses.",
	Client: registry.For(newClient),
	Server: registry.For(newServer),
}

type clientOptions struct {
	Host        string        `ep:"host,required" doc:"name or address to connect to; all addresses of a name are tried, over both families"`
	Port        uint16        `ep:"port,required,port" doc:"port to connect to"`
	Timeout     time.Duration `ep:"timeout" default:"30" doc:"how long a dial may take, looking the name up included; 0 leaves it to the system"`
	BindAddress netip.Addr    `ep:"bindAddress" doc:"local address, with a zone if link-local; only addresses of its family are tried"`
	BindPort    uint16        `ep:"bindPort,port" default:"0" doc:"local port; 0 picks a free one"`
	FlowLabel   uint32        `ep:"flowLabel" default:"0" os:"linux" doc:"flow label of 20 bits (RFC 6437), leased from the kernel; only IPv6 addresses are tried then; 0 is none"`
	sockopt.Dial
}

func newClient(o clientOptions) (registry.Client, error) {
	host, err := hostname.Parse(o.Host)
	if err != nil {
		return nil, registry.Bad("host", "%q %w", o.Host, err)
	}
	spec := tcphost.Spec{
		Host: host, Port: o.Port,
		Race: happyeyeballs.Config{Layer: "tcp", Timeout: o.Timeout},
		Dial: tcpsock.DialSpec{LocalPort: o.BindPort, FlowLabel: o.FlowLabel, Options: o.Dial},
	}
	if o.BindAddress.IsValid() {
		spec.Race.Local = []netip.Addr{o.BindAddress}
	}
	return tcphost.New(spec)
}

type serverOptions struct {
	Port      uint16     `ep:"port,required,port" doc:"port to listen on; 0 picks a free one"`
	Interface netip.Addr `ep:"interface" default:"0.0.0.0" doc:"address to bind, with a zone if link-local; it decides the family"`
	Backlog   int        `ep:"backlog" default:"50" os:"linux,darwin,freebsd,netbsd,openbsd,dragonfly" doc:"connections that may wait to be accepted; 0 is the most that the system lets"`
	V6Only    bool       `ep:"v6only" default:"yes" doc:"take IPv6 only where the interface is IPv6; no also takes IPv4, which needs the interface ::"`
	sockopt.Listen
}

func newServer(o serverOptions) (registry.Server, error) {
	spec := tcpsock.ListenSpec{
		Layer: "tcp", Addr: netip.AddrPortFrom(o.Interface, o.Port),
		DualStack: !o.V6Only, Backlog: o.Backlog, Options: o.Listen,
	}
	if err := sockopt.Join(spec.Problems("tcp")); err != nil {
		return nil, err
	}
	return tcpsock.NewServer(spec), nil
}
