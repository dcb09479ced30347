package dns

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/registry"
)

// servers are the servers at the addresses, or the one behind the inner endpoints.
func (o *options) servers() []dnsclient.Server {
	if o.Via != nil || o.ViaPacket != nil {
		return []dnsclient.Server{o.inner()}
	}
	var servers []dnsclient.Server
	for _, a := range o.Server {
		at := netip.AddrPortFrom(a.Unmap(), o.port()).String()
		servers = append(servers, dnsclient.Server{
			Name:    at,
			Packet:  func(ctx context.Context) (net.Conn, error) { return dial(ctx, "udp", at) },
			Stream:  stream(dialer(at)),
			TLSName: o.tlsName(a), URL: o.url(o.tlsName(a), o.port()),
		})
	}
	return servers
}

func (o *options) port() uint16 {
	switch {
	case o.Port != nil:
		return *o.Port
	case o.Transport == "tls":
		return 853
	case o.Transport == "https":
		return 443
	}
	return 53
}

func (o *options) tlsName(a netip.Addr) string {
	if o.ServerName != "" {
		return o.ServerName
	}
	return a.Unmap().WithZone("").String()
}

// url is where questions are posted to. It has the port, as any URL, though the server is not reached by it.
func (o *options) url(host string, port uint16) string {
	u := url.URL{Scheme: "https", Host: net.JoinHostPort(host, strconv.Itoa(int(port))), Path: "/dns-query"}
	if port == 443 {
		u.Host = strings.TrimSuffix(u.Host, ":443")
	}
	if o.Path != "" {
		u.Path = o.Path
	}
	return u.String()
}

func (o *options) inner() dnsclient.Server {
	s := dnsclient.Server{Name: "via an endpoint", TLSName: o.ServerName, URL: o.url(o.ServerName, 443)}
	if o.ViaPacket != nil {
		s.Packet = o.ViaPacket.DialPacket
	}
	if o.Via != nil {
		s.Stream = stream(o.Via)
	}
	return s
}

// stream has the upgrade inside the race where the client has one.
func stream(c registry.Client) func(context.Context, dnsclient.Upgrade) (net.Conn, error) {
	return func(ctx context.Context, upgrade dnsclient.Upgrade) (net.Conn, error) {
		return registry.DialThrough(ctx, c, upgrade)
	}
}

// A dialer is a TCP client of one address.
type dialer string

func (d dialer) Dial(ctx context.Context) (net.Conn, error) { return dial(ctx, "tcp", string(d)) }

// dial leaves the choice of the local port to the system, which makes it one that can't be guessed (RFC 6056).
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}
