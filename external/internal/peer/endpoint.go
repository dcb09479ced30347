package peer

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/registry"
)

// A Remote is an endpoint of the other process.
type Remote struct {
	Caller Caller
	Target uint64
	Name   string // for errors
	Owner  any    // what must not be collected while something is open that needs the endpoint
}

// Endpoint is r as an endpoint of the given role, nil for a role that is none.
func (r Remote) Endpoint(role registry.Role) any {
	switch role {
	case registry.RoleClient:
		return remoteClient{r}
	case registry.RoleServer:
		return remoteServer{r}
	case registry.RolePacketClient:
		return remotePacketClient{r}
	case registry.RolePacketServer:
		return remotePacketServer{r}
	case registry.RoleResolver:
		return remoteResolver{r}
	}
	return nil
}

// open has the endpoint opened, and hands its descriptor and what is told of it to take.
func open[T any](ctx context.Context, r Remote, op string, take func(context.Context, opened) (T, error)) (T, error) {
	return openBy(ctx, r, &wire.Call{Operation: wire.Call_OPEN, Target: r.Target}, op, take)
}

func openBy[T any](ctx context.Context, r Remote, call *wire.Call, op string, take func(context.Context, opened) (T, error)) (T, error) {
	var none T
	result, ticket, err := do(ctx, r.Caller, call)
	if err != nil {
		return none, failure(op, r.Name, err)
	}
	o := opened{caller: r.Caller, owner: r.Owner, ticket: ticket, socket: result.GetSocket()}
	v, err := take(ctx, o)
	if err != nil {
		ticket.Close()
		return none, failure(op, r.Name, err)
	}
	return v, nil
}

// An opened is what came of a call that opened a socket.
type opened struct {
	caller Caller
	owner  any
	ticket *fdpass.Ticket
	socket *wire.Socket
}

type remoteClient struct{ Remote }

func (c remoteClient) Dial(ctx context.Context) (net.Conn, error) {
	return open(ctx, c.Remote, "dial", takeStream)
}

type remoteServer struct{ Remote }

func (s remoteServer) Listen(ctx context.Context) (net.Listener, error) {
	call := &wire.Call{Operation: wire.Call_OPEN, Target: s.Target}
	ln, err := openBy(ctx, s.Remote, call, "listen", takeListener)
	if err != nil && ctx.Err() != nil {
		// The listener may have been opened at the same time, and stays in the other process.
		go func() { _ = closeRemote(s.Caller, call.Id) }()
	}
	return ln, err
}

type remotePacketClient struct{ Remote }

func (c remotePacketClient) DialPacket(ctx context.Context) (net.Conn, error) {
	return open(ctx, c.Remote, "dial", takeDatagrams)
}

type remotePacketServer struct{ Remote }

func (s remotePacketServer) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	return open(ctx, s.Remote, "listen", takePacketConn)
}

type remoteResolver struct{ Remote }

func (r remoteResolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	call := &wire.Call{Operation: wire.Call_LOOKUP, Target: r.Target, Network: network, Host: host}
	result, ticket, err := do(ctx, r.Caller, call)
	if err == nil {
		ticket.Close()
		if answer := result.GetAddresses(); answer != nil {
			return answer.Addrs()
		}
		err = errWrongResult
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return nil, dns
	}
	return nil, err
}
