package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

// extra returns r with plugins that show what verbs make of wrappers, secrets, datagrams, several addresses and names
// that nobody else has. Nothing in epctl knows any of them.
func extra(r *registry.Registry) *registry.Registry {
	return registry.Must(r.With(
		registry.Plugin{
			Name: "gate", Doc: "Asks for a password in plain text.",
			Client: registry.For(newGateClient), Server: registry.For(newGateServer),
		},
		registry.Plugin{
			Name: "gram", Doc: "Datagrams over UDP.",
			PacketClient: registry.For(newGramClient), PacketServer: registry.For(newGramServer),
		},
		registry.Plugin{Name: "twin", Doc: "Listens on two ports at once.", Server: registry.For(newTwin)},
		registry.Plugin{Name: "local", Doc: "Sockets in the file system.", Client: registry.For(newLocalClient), Server: registry.For(newLocalServer)},
		registry.Plugin{Name: "garbler", Doc: "Gets a byte wrong.", Server: registry.For(newGarbler)},
		registry.Plugin{Name: "sloth", Doc: "Never gets anywhere.", Client: registry.For(newSlothClient), Server: registry.For(newSlothServer)},
		registry.Plugin{Name: "void", Doc: "Fails at everything.", Server: registry.For(newVoid)},
	))
}

type gateOptions struct {
	Password registry.Secret `ep:"password,required" doc:"what the peer has to know"`
	Mode     string          `ep:"mode" default:"strict" enum:"strict,lenient" doc:"what a wrong password does"`
}

type gateClientOptions struct {
	Inner registry.Client `ep:"endpoint,required,rest" doc:"the connection that is guarded"`
	gateOptions
}

type gateServerOptions struct {
	Inner registry.Server `ep:"endpoint,required,rest" doc:"the listener that is guarded"`
	gateOptions
}

func newGateClient(o gateClientOptions) (registry.Client, error) { return gateClient{o}, nil }

func newGateServer(o gateServerOptions) (registry.Server, error) { return o.Inner, nil }

type gateClient struct{ o gateClientOptions }

func (c gateClient) Dial(ctx context.Context) (net.Conn, error) { return c.o.Inner.Dial(ctx) }

func (c gateClient) ServerName() string { return registry.ServerName(c.o.Inner) }

type gramClientOptions struct {
	Host netip.Addr `ep:"host,required" doc:"address to send to"`
	Port uint16     `ep:"port,required,port" doc:"port to send to"`
}

func newGramClient(o gramClientOptions) (registry.PacketClient, error) {
	return gramClient(netip.AddrPortFrom(o.Host, o.Port)), nil
}

type gramClient netip.AddrPort

func (c gramClient) DialPacket(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "udp", netip.AddrPort(c).String())
}

type gramServerOptions struct {
	Port      uint16     `ep:"port,required,port" doc:"port to bind"`
	Interface netip.Addr `ep:"interface" default:"127.0.0.1" doc:"address to bind"`
}

func newGramServer(o gramServerOptions) (registry.PacketServer, error) {
	return gramServer(netip.AddrPortFrom(o.Interface, o.Port)), nil
}

type gramServer netip.AddrPort

func (s gramServer) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	var c net.ListenConfig
	return c.ListenPacket(ctx, "udp", netip.AddrPort(s).String())
}

type noOptions struct{}

func newTwin(noOptions) (registry.Server, error) { return serverFunc(listenTwin), nil }

type serverFunc func(ctx context.Context) (net.Listener, error)

func (f serverFunc) Listen(ctx context.Context) (net.Listener, error) { return f(ctx) }

// A twinListener is two listeners as one.
type twinListener struct {
	net.Listener
	second net.Listener
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func listenTwin(context.Context) (net.Listener, error) {
	first, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	second, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, first.Close())
	}
	l := &twinListener{Listener: first, second: second, conns: make(chan net.Conn), closed: make(chan struct{})}
	go l.forward(first)
	go l.forward(second)
	return l, nil
}

func (l *twinListener) forward(from net.Listener) {
	for {
		c, err := from.Accept()
		if err != nil {
			return
		}
		select {
		case l.conns <- c:
		case <-l.closed:
			_ = c.Close()
		}
	}
}

func (l *twinListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *twinListener) Addrs() []net.Addr { return []net.Addr{l.Addr(), l.second.Addr()} }

func (l *twinListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return errors.Join(l.Listener.Close(), l.second.Close())
}

type localClientOptions struct {
	Path string `ep:"path,required" doc:"the socket to connect to"`
}

func newLocalClient(o localClientOptions) (registry.Client, error) { return localClient(o.Path), nil }

type localClient string

func (c localClient) Dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", string(c))
}

type localServerOptions struct {
	Address string `ep:"address,required" doc:"the socket to make"`
}

func newLocalServer(o localServerOptions) (registry.Server, error) {
	return serverFunc(func(ctx context.Context) (net.Listener, error) {
		var c net.ListenConfig
		return c.Listen(ctx, "unix", o.Address)
	}), nil
}

func newGarbler(noOptions) (registry.Server, error) {
	return serverFunc(func(ctx context.Context) (net.Listener, error) {
		var c net.ListenConfig
		ln, err := c.Listen(ctx, "tcp4", "127.0.0.1:0")
		return garblingListener{ln}, err
	}), nil
}

type garblingListener struct{ net.Listener }

func (l garblingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return garblingConn{c}, err
}

// A garblingConn also has no half-close.
type garblingConn struct{ net.Conn }

func (c garblingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		p[n-1] ^= 1
	}
	return n, err
}

func newVoid(noOptions) (registry.Server, error) {
	return serverFunc(func(context.Context) (net.Listener, error) {
		return nil, errors.New("nothing to listen on,\nas always: \x1b[31m")
	}), nil
}

func newSlothClient(noOptions) (registry.Client, error) { return sloth{}, nil }

func newSlothServer(noOptions) (registry.Server, error) { return sloth{}, nil }

type sloth struct{}

func (sloth) Dial(ctx context.Context) (net.Conn, error) {
	t := trace.StartAttempt(ctx, "sloth", "tcp", nil)
	<-ctx.Done()
	t.End(nil, ctx.Err())
	return nil, ctx.Err()
}

func (sloth) Listen(ctx context.Context) (net.Listener, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
