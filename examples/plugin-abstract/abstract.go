// Package abstract is a plugin of an endpoint for the abstract unix sockets of Linux, which have a name and no file
// (unix(7)).
package abstract

import (
	"context"
	"crypto/rand"
	"net"
	"strings"

	"github.com/epctl/endpoint/registry"
)

// Plugin is the transport abstract.
var Plugin = registry.Plugin{
	Name:         "abstract",
	Doc:          "Unix sockets with a name that is no file.",
	Client:       registry.For(func(o clientOptions) (registry.Client, error) { return named(o.Name) }),
	Server:       registry.For(func(o serverOptions) (registry.Server, error) { return optional(o.Name) }),
	PacketClient: registry.For(func(o clientOptions) (registry.PacketClient, error) { return named(o.Name) }),
	PacketServer: registry.For(func(o serverOptions) (registry.PacketServer, error) { return optional(o.Name) }),
}

type clientOptions struct {
	Name string `ep:"name,required" doc:"name of the socket, up to 107 bytes" os:"linux"`
}

type serverOptions struct {
	Name *string `ep:"name" doc:"name of the socket, up to 107 bytes; where it is not given, the system makes one" os:"linux"`
}

func optional(name *string) (endpoint, error) {
	if name == nil {
		return "", nil
	}
	return named(*name)
}

func named(name string) (endpoint, error) {
	const most = 107 // of sun_path, after the zero that makes it abstract
	switch {
	case name == "":
		return "", registry.Bad("name", "is empty")
	case len(name) > most:
		return "", registry.Bad("name", "has %d bytes, and may have %d", len(name), most)
	case strings.HasPrefix(name, "@"):
		return "", registry.Bad("name", "is written without the @ that other programs show before it").WithFix(name[1:])
	}
	return endpoint(name), nil
}

// An endpoint is the name of a socket, "" for one that the system makes.
type endpoint string

func (e endpoint) path() string {
	if e == "" {
		return autobind
	}
	return "@" + string(e)
}

func (e endpoint) Dial(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", e.path())
}

func (e endpoint) Listen(ctx context.Context) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "unix", e.path())
}

// DialPacket binds the socket to a name that nobody else has, or the server could not answer.
func (e endpoint) DialPacket(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.UnixAddr{Net: "unixgram", Name: "@" + rand.Text()}}
	return d.DialContext(ctx, "unixgram", e.path())
}

func (e endpoint) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	return new(net.ListenConfig).ListenPacket(ctx, "unixgram", e.path())
}

// autobind has the system make a name (unix(7)).
const autobind = ""
