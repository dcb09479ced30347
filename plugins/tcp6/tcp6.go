// Package tcp6 is the endpoint tcp6: TCP over IPv6 and nothing else, between addresses. A name is for hostname:, both
// families are for tcp:.
package tcp6

import (
	"net/netip"
	"time"

	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the endpoint tcp6. Its clients dial *net.TCPConn, its servers listen on *net.TCPListener.
var Plugin = registry.Plugin{
	Name:   "tcp6",
	Doc:    "TCP over IPv6, between addresses.",
	Client: registry.For(newClient),
	Server: registry.For(newServer),
}

type clientOptions struct {
	Host        netip.Addr    `ep:"host,required" doc:"address to connect to, with a zone if link-local"`
	Port        uint16        `ep:"port,required,port" doc:"port to connect to"`
	Timeout     time.Duration `ep:"timeout" default:"30" doc:"how long a dial may take; 0 leaves it to the system"`
	BindAddress netip.Addr    `ep:"bindAddress" doc:"local address, with a zone if link-local"`
	BindPort    uint16        `ep:"bindPort,port" default:"0" doc:"local port; 0 picks a free one"`
	FlowLabel   uint32        `ep:"flowLabel" default:"0" os:"linux" doc:"flow label of 20 bits (RFC 6437), leased from the kernel; 0 is none"`
	sockopt.Dial
}

func newClient(o clientOptions) (registry.Client, error) {
	spec := tcpsock.DialSpec{
		Layer: "tcp6", Timeout: o.Timeout,
		LocalAddr: o.BindAddress, LocalPort: o.BindPort, FlowLabel: o.FlowLabel,
		Options: o.Dial,
	}
	if err := sockopt.Join(spec.Problems("tcp6"), spec.RemoteProblems("tcp6", o.Host)); err != nil {
		return nil, err
	}
	return tcpsock.NewClient(spec, netip.AddrPortFrom(o.Host, o.Port)), nil
}

type serverOptions struct {
	Port      uint16     `ep:"port,required,port" doc:"port to listen on; 0 picks a free one"`
	Backlog   int        `ep:"backlog" default:"50" os:"linux,darwin,freebsd,netbsd,openbsd,dragonfly" doc:"connections that may wait to be accepted; 0 is the most that the system lets"`
	Interface netip.Addr `ep:"interface" default:"::" doc:"address to bind, with a zone if link-local"`
	V6Only    bool       `ep:"v6only" default:"yes" doc:"take IPv6 only; no also takes IPv4, which needs the interface ::"`
	sockopt.Listen
}

func newServer(o serverOptions) (registry.Server, error) {
	spec := tcpsock.ListenSpec{
		Layer: "tcp6", Addr: netip.AddrPortFrom(o.Interface, o.Port),
		DualStack: !o.V6Only, Backlog: o.Backlog, Options: o.Listen,
	}
	if err := sockopt.Join(spec.Problems("tcp6")); err != nil {
		return nil, err
	}
	return tcpsock.NewServer(spec), nil
}
