package registry

import (
	"context"
	"net"
	"net/netip"

	"github.com/epctl/endpoint/trace"
)

// NewClient compiles s into a stream client, without any I/O. The error is a [*grammar.Error] or several of them.
func (r *Registry) NewClient(s string) (Client, error) {
	e, layer, err := compileAs[Client](r, s, RoleClient)
	if err != nil {
		return nil, err
	}
	return &client{e, compiled{layer}}, nil
}

// NewServer compiles s into a stream server, as [Registry.NewClient] does.
func (r *Registry) NewServer(s string) (Server, error) {
	e, layer, err := compileAs[Server](r, s, RoleServer)
	if err != nil {
		return nil, err
	}
	return &server{e, compiled{layer}}, nil
}

// NewPacketClient compiles s into a datagram client, as [Registry.NewClient] does.
func (r *Registry) NewPacketClient(s string) (PacketClient, error) {
	e, layer, err := compileAs[PacketClient](r, s, RolePacketClient)
	if err != nil {
		return nil, err
	}
	return &packetClient{e, compiled{layer}}, nil
}

// NewPacketServer compiles s into a datagram server, as [Registry.NewClient] does.
func (r *Registry) NewPacketServer(s string) (PacketServer, error) {
	e, layer, err := compileAs[PacketServer](r, s, RolePacketServer)
	if err != nil {
		return nil, err
	}
	return &packetServer{e, compiled{layer}}, nil
}

// NewResolver compiles s into a resolver, as [Registry.NewClient] does.
func (r *Registry) NewResolver(s string) (Resolver, error) {
	e, layer, err := compileAs[Resolver](r, s, RoleResolver)
	if err != nil {
		return nil, err
	}
	return &resolver{e, compiled{layer}}, nil
}

func compileAs[E any](r *Registry, s string, role Role) (E, *Layer, error) {
	var none E
	e, layer, err := r.Build(s, role)
	if err != nil {
		return none, layer, err
	}
	return e.(E), layer, nil
}

// compiled is what all endpoints have in common that a registry hands out: each time that one is used, a tracer is told
// what it consists of and what is not wise about it, and a panic of a plugin becomes an error.
type compiled struct{ layer *Layer }

func (c compiled) announce(ctx context.Context) {
	if t := trace.From(ctx); t != nil {
		t.Emit(trace.Event{Kind: trace.Built, Layer: c.layer.Plugin.Name, Layers: c.layer.stack()})
		c.layer.Walk(func(l *Layer, _ int) {
			for _, w := range l.Warnings {
				t.Emit(trace.Event{Kind: trace.Warning, Layer: l.Plugin.Name, Detail: w.Message})
			}
		})
	}
}

func (l *Layer) stack() []trace.Layer {
	var stack []trace.Layer
	l.Walk(func(l *Layer, depth int) {
		stack = append(stack, trace.Layer{Name: l.Plugin.Name, Depth: depth, Text: l.Text()})
	})
	return stack
}

// used runs a method of an endpoint that was compiled.
func used[R any](ctx context.Context, c compiled, do func(context.Context) (R, error)) (result R, err error) {
	defer c.guard(&err)
	c.announce(ctx)
	return do(ctx)
}

type client struct {
	Client
	compiled
}

func (c *client) Dial(ctx context.Context) (net.Conn, error) {
	return used(ctx, c.compiled, c.Client.Dial)
}

type server struct {
	Server
	compiled
}

func (s *server) Listen(ctx context.Context) (net.Listener, error) {
	return used(ctx, s.compiled, s.Server.Listen)
}

type packetClient struct {
	PacketClient
	compiled
}

func (c *packetClient) DialPacket(ctx context.Context) (net.Conn, error) {
	return used(ctx, c.compiled, c.PacketClient.DialPacket)
}

type packetServer struct {
	PacketServer
	compiled
}

func (s *packetServer) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	return used(ctx, s.compiled, s.PacketServer.ListenPacket)
}

type resolver struct {
	Resolver
	compiled
}

func (r *resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return used(ctx, r.compiled, func(ctx context.Context) ([]netip.Addr, error) {
		return r.Resolver.LookupNetIP(ctx, network, host)
	})
}
