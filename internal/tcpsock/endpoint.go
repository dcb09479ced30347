package tcpsock

import (
	"context"
	"net"
	"net/netip"
)

// A Client is a Dialer that connects to one address: a stream client.
type Client struct {
	dialer *Dialer
	remote netip.AddrPort
}

// NewClient prepares for connections by s to remote. Neither has problems.
func NewClient(s DialSpec, remote netip.AddrPort) *Client { return &Client{NewDialer(s), remote} }

// Dial connects as [Dialer.Dial] does; the connection is a *net.TCPConn.
func (c *Client) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := c.dialer.Dial(ctx, c.remote)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// ServerName is the remote address without zone, as text.
func (c *Client) ServerName() string { return c.remote.Addr().WithZone("").String() }

// A Server is a Listener as a stream server.
type Server struct{ listener *Listener }

// NewServer prepares for listeners by s, which has no problems.
func NewServer(s ListenSpec) *Server { return &Server{NewListener(s)} }

// Listen binds as [Listener.Listen] does; the listener is a *net.TCPListener.
func (s *Server) Listen(ctx context.Context) (net.Listener, error) {
	ln, err := s.listener.Listen(ctx)
	if err != nil {
		return nil, err
	}
	return ln, nil
}
