package registry

import (
	"context"
	"net"
)

// An Upgrade makes a connection ready for use, by a handshake such as TLS. It owns the connection that it is given, and
// closes it where it fails. The context bounds the call only.
type Upgrade = func(ctx context.Context, conn net.Conn) (net.Conn, error)

// A Racer is a Client that may try several addresses. With DialThrough an address has won only when upgrade has
// succeeded on its connection: one that accepts connections and then hangs loses to the next (RFC 8305, and section
// "success" of its successor). DialThrough returns what upgrade returned.
type Racer interface {
	Client
	DialThrough(ctx context.Context, upgrade Upgrade) (net.Conn, error)
}

// DialThrough dials c and upgrades the connection, within the race if c is a [Racer].
func DialThrough(ctx context.Context, c Client, upgrade Upgrade) (net.Conn, error) {
	if racer, ok := c.(Racer); ok {
		return racer.DialThrough(ctx, upgrade)
	}
	conn, err := c.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return upgrade(ctx, conn)
}

// DialThrough makes what NewClient returns a Racer.
func (c *client) DialThrough(ctx context.Context, upgrade Upgrade) (conn net.Conn, err error) {
	defer c.guard(&err)
	c.announce(ctx)
	return DialThrough(ctx, c.Client, upgrade)
}
