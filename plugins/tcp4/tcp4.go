// Package tcp4 is the endpoint tcp4: TCP over IPv4 and nothing else, between addresses. A name is for hostname:, both
// families are for tcp:.
package tcp4

import (
	"net/netip"
	"time"

	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the endpoint tcp4. Its clients dial *net.TCPConn, its servers listen on *net.TCPListener.
var Plugin = registry.Plugin{
	Name:   "tcp4",
	Doc:    "TCP over IPv4, between addresses.",
	Client: registry.For(newClient),
	Server: registry.For(newServer),
}

type clientOptions struct {
	Host        netip.Addr    `ep:"host,required" doc:"address to connect to"`
	Port        uint16        `ep:"port,required,port" doc:"port to connect to"`
	Timeout     time.Duration `ep:"timeout" default:"30" doc:"how long a dial may take; 0 leaves it to the system"`
	BindAddress netip.Addr    `ep:"bindAddress" doc:"local address"`
	BindPort    uint16        `ep:"bindPort,port" default:"0" doc:"local port; 0 picks a free one"`
	sockopt.Dial
}

func newClient(o clientOptions) (registry.Client, error) {
	spec := tcpsock.DialSpec{
		Layer: "tcp4", Timeout: o.Timeout,
		LocalAddr: o.BindAddress, LocalPort: o.BindPort,
		Options: o.Dial,
	}
	if err := sockopt.Join(spec.Problems("tcp4"), spec.RemoteProblems("tcp4", o.Host)); err != nil {
		return nil, err
	}
	return tcpsock.NewClient(spec, netip.AddrPortFrom(o.Host, o.Port)), nil
}

type serverOptions struct {
	Port      uint16     `ep:"port,required,port" doc:"port to listen on; 0 picks a free one"`
	Interface netip.Addr `ep:"interface" default:"0.0.0.0" doc:"address to bind"`
	Backlog   int        `ep:"backlog" default:"50" os:"linux,darwin,freebsd,netbsd,openbsd,dragonfly" doc:"connections that may wait to be accepted; 0 is the most that the system lets"`
	sockopt.Listen
}

func newServer(o serverOptions) (registry.Server, error) {
	spec := tcpsock.ListenSpec{
		Layer: "tcp4", Addr: netip.AddrPortFrom(o.Interface, o.Port),
		Backlog: o.Backlog, Options: o.Listen,
	}
	if err := sockopt.Join(spec.Problems("tcp4")); err != nil {
		return nil, err
	}
	return tcpsock.NewServer(spec), nil
}
