package registry

import (
	"context"
	"net"
	"net/netip"
)

// A Client connects a stream. Dial may be called any number of times, from any goroutine; ctx bounds the dial only,
// never the connection that comes back. What fails after I/O began is an error of package net.
type Client interface {
	Dial(ctx context.Context) (net.Conn, error)
}

// A Server listens for streams. Listen may be called any number of times; ctx bounds the call to Listen only, never
// the listener that comes back.
type Server interface {
	Listen(ctx context.Context) (net.Listener, error)
}

// A PacketClient makes a connected datagram socket: each Write is a datagram to the peer, each Read one from it.
type PacketClient interface {
	DialPacket(ctx context.Context) (net.Conn, error)
}

// A PacketServer makes a datagram socket that is bound and not connected.
type PacketServer interface {
	ListenPacket(ctx context.Context) (net.PacketConn, error)
}

// A Resolver looks names up. A [net.Resolver] is one. Network is "ip", "ip4" or "ip6"; a name that does not exist is
// a [net.DNSError] with IsNotFound.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// A Role is what an endpoint is asked to be.
type Role string

// The roles that a plugin can play. Each is also the [Kind] of a parameter whose value is an endpoint of that role.
const (
	RoleClient       Role = "client"
	RoleServer       Role = "server"
	RolePacketClient Role = "packet-client"
	RolePacketServer Role = "packet-server"
	RoleResolver     Role = "resolver"
)

// Roles lists all roles, in the order in which they are tried and shown.
func Roles() []Role {
	return []Role{RoleClient, RoleServer, RolePacketClient, RolePacketServer, RoleResolver}
}

// Noun is the role in words, as error texts use it.
func (r Role) Noun() string {
	switch r {
	case RoleClient:
		return "stream client"
	case RoleServer:
		return "stream server"
	case RolePacketClient:
		return "datagram client"
	case RolePacketServer:
		return "datagram server"
	case RoleResolver:
		return "resolver"
	}
	return string(r)
}

// medium is what an endpoint with this role carries.
func (r Role) medium() string {
	switch r {
	case RoleClient, RoleServer:
		return "a stream endpoint"
	case RolePacketClient, RolePacketServer:
		return "a datagram endpoint"
	}
	return "a resolver"
}
