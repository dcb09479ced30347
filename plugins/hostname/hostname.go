// Package hostname is the endpoint hostname: a client for a host by name. It tries all addresses of both families as
// RFC 8305 says, and gives control over how the name is resolved and which addresses may be used.
package hostname

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

// Plugin is the endpoint hostname. Its clients dial *net.TCPConn, for datagrams *net.UDPConn.
var Plugin = registry.Plugin{
	Name:         "hostname",
	Doc:          "A host by name, over IPv4 and IPv6, by Happy Eyeballs (RFC 8305).",
	Client:       registry.For(newClient),
	PacketClient: registry.For(newPacketClient),
}

// target is whom to connect to.
type target struct {
	Host    string        `ep:"host,required" doc:"name or address; an internationalised name by IDNA 2008"`
	Port    uint16        `ep:"port,required,port" doc:"port"`
	Timeout time.Duration `ep:"timeout" default:"30s" doc:"how long a dial may take, looking the name up included; 0 leaves it to the system"`
}

// choice says which of the host's addresses are used, and from where.
type choice struct {
	ResolutionDelay time.Duration        `ep:"resolutionDelay" default:"50ms" doc:"how long an answer with IPv4 addresses waits for the one with IPv6 addresses; of datagrams either waits for the other"`
	Family          happyeyeballs.Family `ep:"family" default:"any" doc:"any, 4, 6, or prefer4 or prefer6 for the one that goes first"`
	BindAddress     []netip.Addr         `ep:"bindAddress" doc:"local address, one of each family at most; a family without one is left out"`
	BindPort        uint16               `ep:"bindPort,port" default:"0" doc:"local port; 0 picks a free one"`
	BindInterface   string               `ep:"bindInterface" os:"linux" doc:"interface to connect through, which also decides the source addresses"`
	FlowLabel       uint32               `ep:"flowLabel" default:"0" os:"linux" doc:"flow label of 20 bits (RFC 6437), leased from the kernel; only IPv6 addresses are tried then; 0 is none"`
}

// finding says how the host's addresses are found, and which are refused.
type finding struct {
	Deny     []happyeyeballs.DenyRule `ep:"deny" doc:"addresses that must not be connected to, whatever the name says: private, loopback, linklocal, multicast, or a prefix"`
	Resolver registry.Resolver        `ep:"resolver" doc:"what looks the name up; the system's resolver where not given"`
}

type clientOptions struct {
	target
	AttemptDelay time.Duration `ep:"attemptDelay" default:"250ms" doc:"time between the starts of two attempts, 10ms to 2s"`
	choice
	Memory bool `ep:"memory" default:"yes" doc:"remember for ten minutes which addresses worked and which failed"`
	finding
	sockopt.Dial
}

func newClient(o clientOptions) (registry.Client, error) {
	host, err := o.parse()
	if err != nil {
		return nil, err
	}
	race, err := o.race()
	if err != nil {
		return nil, err
	}
	if o.BindInterface != "" {
		o.Dial.BindToDevice = o.BindInterface
	}
	return tcphost.New(tcphost.Spec{
		Host: host, Port: o.Port, Race: race,
		Dial: tcpsock.DialSpec{LocalPort: o.BindPort, FlowLabel: o.FlowLabel, Options: o.Dial},
	})
}

func (t target) parse() (hostname.Host, error) {
	host, err := hostname.Parse(t.Host)
	if err != nil {
		return hostname.Host{}, registry.Bad("host", "%q %w", t.Host, err)
	}
	return host, nil
}
