// Package tcphost connects TCP to a host that may have several addresses, for the plugins tcp and hostname: the race of
// package happyeyeballs over the sockets of package tcpsock.
package tcphost

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/internal/hostname"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcpsock"
)

// A Spec says whom to connect to, and how.
type Spec struct {
	Host hostname.Host
	Port uint16
	Race happyeyeballs.Config // without Network and Dial; Local has the local addresses, at most one of each family
	Dial tcpsock.DialSpec     // without Layer, LocalAddr and Timeout, which Race has
}

// A Client dials one host.
type Client struct {
	engine  *happyeyeballs.Engine
	literal *tcpsock.Client // where the host is an address, and there is nothing to race
	host    string
	port    uint16
}

// New prepares for s. It does no I/O. Problems come joined as by [sockopt.Join], under the names host, bindAddress,
// flowLabel and those of the socket options.
func New(s Spec) (*Client, error) {
	s.Dial.Layer, s.Dial.Timeout = s.Race.Layer, s.Race.Timeout
	if s.Dial.FlowLabel != 0 {
		s.Race.Family = happyeyeballs.IPv6Only
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	dialers := make(map[bool]*tcpsock.Dialer, 2) // by whether the remote address is IPv4
	for _, ipv4 := range []bool{true, false} {
		spec := s.Dial
		spec.Timeout = 0 // the race has it
		spec.LocalAddr = localOf(s.Race.Local, ipv4)
		dialers[ipv4] = tcpsock.NewDialer(spec)
	}
	s.Race.Network = "tcp"
	s.Race.Dial = func(ctx context.Context, remote netip.AddrPort) (net.Conn, error) {
		conn, err := dialers[remote.Addr().Is4()].Attempt(ctx, remote)
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
	engine, err := happyeyeballs.New(s.Race)
	if err != nil {
		return nil, err
	}
	c := &Client{engine: engine, host: s.Host.Name, port: s.Port}
	if addr := s.Host.Addr; addr.IsValid() {
		s.Dial.LocalAddr = localOf(s.Race.Local, addr.Is4())
		c.literal = tcpsock.NewClient(s.Dial, netip.AddrPortFrom(addr, s.Port))
	}
	return c, nil
}

func (s Spec) check() error {
	if len(s.Race.Local) == 1 {
		s.Dial.LocalAddr = s.Race.Local[0] // it decides the family, and so which options make sense
		return sockopt.Join(s.Dial.Problems("tcp"), s.hostProblems())
	}
	problems := s.Dial.Problems("tcp")
	for _, local := range s.Race.Local {
		alone := tcpsock.DialSpec{LocalAddr: local, Options: sockopt.DefaultDial()}
		problems = append(problems, alone.Problems("tcp")...)
	}
	return sockopt.Join(problems, s.hostProblems())
}

// hostProblems checks a host that is an address; of a name nothing is known yet.
func (s Spec) hostProblems() []sockopt.Problem {
	addr := s.Host.Addr
	if !addr.IsValid() {
		return nil
	}
	if s.Race.Deny != nil {
		if err := s.Race.Deny(addr); err != nil {
			return []sockopt.Problem{{Param: "host", Message: err.Error(), With: "deny"}}
		}
	}
	network := "tcp"
	switch {
	case s.Dial.FlowLabel != 0 && addr.Is4():
		return []sockopt.Problem{{Param: "flowLabel", Message: "is for IPv6 only", With: "host"}}
	case s.Race.Family == happyeyeballs.IPv4Only:
		network = "tcp4"
	case s.Race.Family == happyeyeballs.IPv6Only:
		network = "tcp6"
	}
	if s.Dial.LocalAddr = localOf(s.Race.Local, addr.Is4()); !s.Dial.LocalAddr.IsValid() && len(s.Race.Local) > 0 {
		s.Dial.LocalAddr = s.Race.Local[0] // of the other family, which is the problem
	}
	return s.Dial.RemoteProblems(network, addr)
}

func localOf(local []netip.Addr, ipv4 bool) netip.Addr {
	for _, a := range local {
		if a.Is4() == ipv4 {
			return a
		}
	}
	return netip.Addr{}
}

// ServerName is the host: a name as it is dialed, without a dot at its end, or an address without zone.
func (c *Client) ServerName() string {
	if c.literal != nil {
		return c.literal.ServerName()
	}
	return strings.TrimSuffix(c.host, ".")
}

// Dial connects to the first address that works; the connection is a *net.TCPConn. Errors are of [happyeyeballs.Engine.Dial],
// for a host that is an address of [tcpsock.Dialer.Dial].
func (c *Client) Dial(ctx context.Context) (net.Conn, error) {
	if c.literal != nil {
		return c.literal.Dial(ctx)
	}
	return c.engine.Dial(ctx, c.host, c.port)
}

// DialThrough connects to the first address on whose connection upgrade succeeds, and returns what that returned.
func (c *Client) DialThrough(ctx context.Context, upgrade func(context.Context, net.Conn) (net.Conn, error)) (net.Conn, error) {
	return c.engine.DialThrough(ctx, c.host, c.port, upgrade)
}
