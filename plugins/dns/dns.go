// Package dns is the resolver dns: DNS servers of one's own choice, over UDP, TCP, TLS or HTTPS, or over any other
// endpoint.
package dns

import (
	"net/netip"
	"time"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the resolver dns.
var Plugin = registry.Plugin{
	Name:     "dns",
	Doc:      "DNS servers of one's own choice, over UDP, TCP, TLS or HTTPS.",
	Resolver: registry.For(newResolver),
}

type options struct {
	Server     []netip.Addr          `ep:"server" doc:"address of the server, or of several, which are asked in this order"`
	Port       *uint16               `ep:"port,port" doc:"port of the servers; where it is not given, 53, for tls 853, for https 443"`
	Transport  string                `ep:"transport" default:"udp" enum:"udp,tcp,tls,https" doc:"what carries the questions; udp turns to tcp where an answer is truncated"`
	ServerName string                `ep:"serverName" doc:"for tls and https, the name that the server's certificate must have; where it is not given, it must have the server's address"`
	Path       string                `ep:"path" doc:"for https, the path that questions are posted to; /dns-query where it is not given"`
	TrustRoots string                `ep:"trustRoots" doc:"for tls and https, a PEM file or a directory of such with the authorities to trust; the system's where it is not given"`
	Via        registry.Client       `ep:"via" doc:"stream endpoint that leads to the server, in place of its address; with udp, for what is truncated"`
	ViaPacket  registry.PacketClient `ep:"viaPacket" doc:"datagram endpoint that leads to the server, in place of its address; for udp"`
	Attempts   uint8                 `ep:"attempts" default:"3" doc:"how often each server is tried before a question counts as lost"`
	Timeout    time.Duration         `ep:"timeout" default:"2s" doc:"time for an answer, which doubles with each further round of tries, up to 8s"`
	Idle       time.Duration         `ep:"idle" default:"10s" doc:"how long a connection to a server is kept for the next question; 0 closes it at once"`
	Cache      uint16                `ep:"cache" default:"1024" doc:"how many answers are kept, for as long as they say that they hold; 0 keeps none"`
	MixCase    bool                  `ep:"mixCase" default:"no" doc:"ask in random case and demand it back, which makes forged answers harder; not all servers do it right"`
	Local      bool                  `ep:"local" default:"no" doc:"ask for names under .local too, which belong to multicast DNS"`
}

func newResolver(o options) (registry.Resolver, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	client, err := dnsclient.New(dnsclient.Config{
		Servers: o.servers(), Transport: dnsclient.Transport(o.Transport), TLS: o.tls(),
		Attempts: int(o.Attempts), Timeout: o.Timeout, Idle: o.Idle,
		CacheSize: int(o.Cache), MixCase: o.MixCase, Local: o.Local,
	})
	if err != nil {
		return nil, err
	}
	return client, nil
}
