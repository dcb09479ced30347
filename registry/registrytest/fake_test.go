package registrytest_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"

	"github.com/epctl/endpoint/registry"
)

// A loop is a plugin that does all that the suite asks, over package net; the tests break it in one place each.
type loop struct {
	plugin registry.Plugin

	newClient   func(clientOptions) (registry.Client, error)
	newServer   func(serverOptions) (registry.Server, error)
	build       func(clientOptions) error // is asked before a client is built
	dial        func(ctx context.Context, address string) (net.Conn, error)
	dialPacket  func(ctx context.Context, address string) (net.Conn, error)
	accepted    func(net.Conn) net.Conn
	listened    func(net.Listener) net.Listener
	listenFirst func(ctx context.Context) error // is asked before a server listens
	bound       func(net.PacketConn) net.PacketConn
}

type clientOptions struct {
	Host     netip.Addr      `ep:"host,required" doc:"address to connect to"`
	Port     uint16          `ep:"port,required,port" doc:"port to connect to"`
	Tries    int             `ep:"tries" default:"1" doc:"how often, at most 3"`
	Password registry.Secret `ep:"password" doc:"what the peer wants to hear"`
}

type serverOptions struct {
	Port      uint16     `ep:"port,required,port" doc:"port to listen on"`
	Interface netip.Addr `ep:"interface" default:"127.0.0.1" doc:"address to bind"`
}

func newLoop() *loop {
	l := &loop{
		build: func(o clientOptions) error {
			if o.Tries > 3 {
				return registry.Bad("tries", "is more than 3")
			}
			return nil
		},
		dial: func(ctx context.Context, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		},
		dialPacket: func(ctx context.Context, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "udp", address)
		},
		accepted:    func(c net.Conn) net.Conn { return c },
		listened:    func(ln net.Listener) net.Listener { return ln },
		listenFirst: func(context.Context) error { return nil },
		bound:       func(c net.PacketConn) net.PacketConn { return c },
	}
	l.plugin = registry.Plugin{
		Name: "loop", Doc: "Sockets of package net.",
		Client:       registry.For(l.client),
		Server:       registry.For(l.server),
		PacketClient: registry.For(l.packetClient),
		PacketServer: registry.For(l.packetServer),
	}
	return l
}

func address(host netip.Addr, port uint16) string {
	return net.JoinHostPort(host.String(), strconv.Itoa(int(port)))
}

func (l *loop) client(o clientOptions) (registry.Client, error) {
	if err := l.build(o); err != nil {
		return nil, err
	}
	if l.newClient != nil {
		return l.newClient(o)
	}
	return dialFunc(func(ctx context.Context) (net.Conn, error) { return l.dial(ctx, address(o.Host, o.Port)) }), nil
}

func (l *loop) packetClient(o clientOptions) (registry.PacketClient, error) {
	if err := l.build(o); err != nil {
		return nil, err
	}
	return dialPacketFunc(func(ctx context.Context) (net.Conn, error) {
		return l.dialPacket(ctx, address(o.Host, o.Port))
	}), nil
}

func (l *loop) server(o serverOptions) (registry.Server, error) {
	if l.newServer != nil {
		return l.newServer(o)
	}
	return listenFunc(func(ctx context.Context) (net.Listener, error) {
		if err := l.listenFirst(ctx); err != nil {
			return nil, err
		}
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address(o.Interface, o.Port))
		if err != nil {
			return nil, err
		}
		return l.listened(&listener{ln, l.accepted}), nil
	}), nil
}

func (l *loop) packetServer(o serverOptions) (registry.PacketServer, error) {
	return listenPacketFunc(func(ctx context.Context) (net.PacketConn, error) {
		c, err := new(net.ListenConfig).ListenPacket(ctx, "udp", address(o.Interface, o.Port))
		if err != nil {
			return nil, err
		}
		return l.bound(c), nil
	}), nil
}

type listener struct {
	net.Listener
	accepted func(net.Conn) net.Conn
}

func (ln *listener) Accept() (net.Conn, error) {
	c, err := ln.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return ln.accepted(c), nil
}

type (
	dialFunc         func(context.Context) (net.Conn, error)
	listenFunc       func(context.Context) (net.Listener, error)
	dialPacketFunc   func(context.Context) (net.Conn, error)
	listenPacketFunc func(context.Context) (net.PacketConn, error)
)

func (f dialFunc) Dial(ctx context.Context) (net.Conn, error)                       { return f(ctx) }
func (f listenFunc) Listen(ctx context.Context) (net.Listener, error)               { return f(ctx) }
func (f dialPacketFunc) DialPacket(ctx context.Context) (net.Conn, error)           { return f(ctx) }
func (f listenPacketFunc) ListenPacket(ctx context.Context) (net.PacketConn, error) { return f(ctx) }

// halfCloser is what a wrapper forwards.
type halfCloser interface{ CloseWrite() error }

// A wrapped connection forwards as the rules ask.
type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }

func (w wrapped) CloseWrite() error {
	if half, ok := w.Conn.(halfCloser); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// wrapper is a plugin with inner endpoints.
func wrapper() registry.Plugin {
	type client struct {
		Endpoint registry.Client `ep:"endpoint,required" doc:"what to wrap"`
	}
	type server struct {
		Endpoint registry.Server `ep:"endpoint,required,rest" doc:"what to wrap"`
	}
	return registry.Plugin{
		Name: "wrap", Doc: "Wraps another endpoint.",
		Client: registry.For(func(o client) (registry.Client, error) {
			return dialFunc(func(ctx context.Context) (net.Conn, error) {
				c, err := o.Endpoint.Dial(ctx)
				if err != nil {
					return nil, err
				}
				return wrapped{c}, nil
			}), nil
		}),
		Server: registry.For(func(o server) (registry.Server, error) {
			return listenFunc(func(ctx context.Context) (net.Listener, error) {
				ln, err := o.Endpoint.Listen(ctx)
				if err != nil {
					return nil, err
				}
				return &listener{ln, func(c net.Conn) net.Conn { return wrapped{c} }}, nil
			}), nil
		}),
	}
}

// A paramsFactory declares whatever it is told to.
type paramsFactory struct{ params []registry.Param }

func (f paramsFactory) Params() []registry.Param { return f.params }

func (f paramsFactory) Build(registry.Args) (registry.Client, error) {
	return dialFunc(func(ctx context.Context) (net.Conn, error) { return nil, context.Cause(ctx) }), nil
}

// resolverFunc is a resolver.
type resolverFunc func(ctx context.Context) ([]netip.Addr, error)

func (f resolverFunc) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	return f(ctx)
}
