package external_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/epctl/endpoint/plugins/static"
	"github.com/epctl/endpoint/plugins/tcp4"
	"github.com/epctl/endpoint/plugins/udp"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

// programs are the plugins that each test program serves, by its name.
func programs() map[string][]registry.Plugin {
	return map[string][]registry.Plugin{
		"tcp":    {tcp4.Plugin},
		"udp":    {udp.Plugin},
		"static": {static.Plugin},
		"xor":    {xor},
		"masked": {masked},
		"nest":   {nest},
		"many":   {tcp4.Plugin, xor, masked, static.Plugin, faulty, keeper},
	}
}

// xor is a wrapper that transforms bytes.
var xor = registry.Plugin{
	Name: "xor", Doc: "Turns each byte around.",
	Client: registry.For(func(o xorClient) (registry.Client, error) { return o, nil }),
	Server: registry.For(func(o xorServer) (registry.Server, error) { return o, nil }),
}

type xorClient struct {
	Endpoint registry.Client `ep:"endpoint,required,rest" doc:"what it goes through"`
	Mask     uint8           `ep:"mask" default:"255" doc:"what bytes are combined with"`
}

func (c xorClient) Dial(ctx context.Context) (net.Conn, error) {
	span := trace.StartHandshake(ctx, "xor", "turning around", nil)
	conn, err := c.Endpoint.Dial(ctx)
	span.End(nil, err)
	if err != nil {
		return nil, err
	}
	return turned(conn, c.Mask), nil
}

type xorServer struct {
	Endpoint registry.Server `ep:"endpoint,required,rest" doc:"what it goes through"`
	Mask     uint8           `ep:"mask" default:"255" doc:"what bytes are combined with"`
}

func (s xorServer) Listen(ctx context.Context) (net.Listener, error) {
	ln, err := s.Endpoint.Listen(ctx)
	if err != nil {
		return nil, err
	}
	return xorListener{ln, s.Mask}, nil
}

type xorListener struct {
	net.Listener
	mask byte
}

func (l xorListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return turned(conn, l.mask), nil
}

func turned(conn net.Conn, mask byte) net.Conn {
	x := xorConn{conn, mask}
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		return struct {
			xorConn
			halfCloser
		}{x, half}
	}
	return x
}

type halfCloser interface{ CloseWrite() error }

type xorConn struct {
	net.Conn
	mask byte
}

func (c xorConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for i := range b[:n] {
		b[i] ^= c.mask
	}
	return n, err
}

func (c xorConn) Write(b []byte) (int, error) {
	masked := make([]byte, len(b))
	for i := range b {
		masked[i] = b[i] ^ c.mask
	}
	return c.Conn.Write(masked)
}

// masked is a wrapper of datagrams.
var masked = registry.Plugin{
	Name: "masked", Doc: "Turns each byte of datagrams around.",
	PacketClient: registry.For(func(o maskedClient) (registry.PacketClient, error) { return o, nil }),
	PacketServer: registry.For(func(o maskedServer) (registry.PacketServer, error) { return o, nil }),
}

type maskedClient struct {
	Endpoint registry.PacketClient `ep:"endpoint,required,rest" doc:"what it goes through"`
}

func (c maskedClient) DialPacket(ctx context.Context) (net.Conn, error) {
	conn, err := c.Endpoint.DialPacket(ctx)
	if err != nil {
		return nil, err
	}
	return xorConn{conn, 255}, nil
}

type maskedServer struct {
	Endpoint registry.PacketServer `ep:"endpoint,required,rest" doc:"what it goes through"`
}

func (s maskedServer) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	conn, err := s.Endpoint.ListenPacket(ctx)
	if err != nil {
		return nil, err
	}
	return maskedConn{conn}, nil
}

type maskedConn struct{ net.PacketConn }

func (c maskedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := c.PacketConn.ReadFrom(b)
	for i := range b[:n] {
		b[i] ^= 255
	}
	return n, addr, err
}

func (c maskedConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	turned := make([]byte, len(b))
	for i := range b {
		turned[i] = b[i] ^ 255
	}
	return c.PacketConn.WriteTo(turned, addr)
}

// faulty finds faults that only the plugin can find.
var faulty = registry.Plugin{
	Name: "faulty", Doc: "Is never content.",
	Client: registry.For(func(o faultyOptions) (registry.Client, error) {
		switch o.Colour {
		case "red":
			return nil, registry.Bad("colour", "red is not in fashion").WithFix("blue").With("shade")
		case "both":
			return nil, errors.Join(registry.Bad("colour", "one colour, not both"), registry.Bad("shade", "is too dark"))
		case "tcp":
			return nil, registry.Bad("colour", "is a transport").UsePlugin("tcp4")
		case "panic":
			panic("no such colour")
		}
		return o, nil
	}),
	Resolver: registry.For(func(o faultyOptions) (registry.Resolver, error) { return o, nil }),
}

type faultyOptions struct {
	Colour string `ep:"colour" default:"green" doc:"the colour"`
	Shade  string `ep:"shade" default:"light" doc:"the shade"`
}

func (o faultyOptions) Dial(context.Context) (net.Conn, error) {
	switch o.Shade {
	case "panic":
		panic("no such shade")
	case "dns":
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "nowhere.invalid", IsNotFound: true}}
	}
	return nil, errors.New(o.Shade)
}

func (o faultyOptions) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// keeper has a secret.
var keeper = registry.Plugin{
	Name: "keeper", Doc: "Tells its secret.",
	Client: registry.For(func(o keeperOptions) (registry.Client, error) {
		if o.Secret.IsZero() {
			return nil, registry.Bad("secret", "is empty")
		}
		return o, nil
	}),
}

type keeperOptions struct {
	Secret registry.Secret `ep:"secret,required" doc:"what it tells"`
}

func (o keeperOptions) Dial(ctx context.Context) (net.Conn, error) {
	secret, err := o.Secret.Reveal(ctx)
	if err != nil {
		return nil, err
	}
	here, there := net.Pipe()
	go func() {
		_, _ = there.Write([]byte(strings.ToUpper(secret)))
		_ = there.Close()
	}()
	return here, nil
}
