package main

import (
	"context"
	"net"
	"os/exec"
	"time"

	"github.com/epctl/endpoint/registry"
)

// Names of sides.
const (
	inProcess     = "in this process"
	asProgram     = "plugin"
	overStream    = "over a gRPC stream"
	overStreamTLS = "over a gRPC stream, TLS"
	overBroker    = "over go-plugin's broker"
	overBrokerTLS = "over go-plugin's broker, TLS"
)

// dialers is how many dial at once.
const dialers = 4

// A size is how much is measured at once.
type size struct {
	bytes          int64
	dials, accepts int
}

func usual() size { return size{bytes: 32 << 20, dials: 100, accepts: 300} }

// A dial connects to the peer.
type dial func(ctx context.Context) (net.Conn, error)

func (l *lab) contests() []contest {
	const turned = "turn:"
	return []contest{
		l.streams("TCP, sending", "", 0.9, askSend, 40),
		l.streams("TCP, receiving", "", 0.9, askReceive, 40),
		l.streams("transformed, sending", turned, 0.6, askSend, 40),
		l.streams("transformed, receiving", turned, 0.6, askReceive, 40),
		l.connects("TCP, connect and first byte", "", 4, 40),
		l.connects("transformed, connect and first byte", turned, 0, 40),
		l.listens("TCP, accepted connections", "", 0.5, 40),
		l.listens("transformed, accepted connections", turned, 0, 40),
		l.starts(20),
	}
}

// dialSides are all that can dial, each measured by what measure makes of its dial.
func (l *lab) dialSides(prefix string, g goal, measure func(dial) func(context.Context) (float64, error)) []side {
	sides := []side{
		{inProcess, goal{}, measure(dialBy(l.inside, l.client(prefix)))},
		{asProgram, g, measure(dialBy(l.outside, l.client(prefix)))},
	}
	for _, name := range []string{overStream, overStreamTLS, overBroker, overBrokerTLS} {
		sides = append(sides, side{name, goal{}, measure(func(context.Context) (net.Conn, error) {
			return l.rivals[name].Dial(l.peer.address(), prefix != "")
		})})
	}
	return sides
}

// dialBy makes the endpoint at the first dial; what that costs is no part of what is measured.
func dialBy(r *registry.Registry, description string) dial {
	client, err := r.NewClient(description)
	return func(ctx context.Context) (net.Conn, error) {
		if err != nil {
			return nil, err
		}
		return client.Dial(ctx)
	}
}

// streams measures how many bytes pass a second.
func (l *lab) streams(name, prefix string, atLeast float64, what byte, blocks int) contest {
	return contest{name, "MB/s", blocks, l.dialSides(prefix, goal{AtLeast: atLeast}, func(d dial) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) {
			conn, err := d(ctx)
			if err != nil {
				return 0, err
			}
			defer drop(conn)
			began := time.Now()
			if err := move(conn, what, l.size.bytes); err != nil {
				return 0, err
			}
			return float64(l.size.bytes) / 1e6 / time.Since(began).Seconds(), nil
		}
	})}
}

func move(conn net.Conn, what byte, n int64) error {
	if err := ask(conn, what, n); err != nil {
		return err
	}
	if what == askReceive {
		return take(conn, n)
	}
	if err := give(conn, n); err != nil {
		return err
	}
	return answer(conn)
}

// connects measures how long it takes until the first byte has come back: the median of a number of connections.
func (l *lab) connects(name, prefix string, atMost float64, blocks int) contest {
	return contest{name, "µs", blocks, l.dialSides(prefix, goal{AtMost: atMost}, func(d dial) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) {
			var took []float64
			for range l.size.dials {
				began := time.Now()
				if err := firstByte(ctx, d); err != nil {
					return 0, err
				}
				took = append(took, float64(time.Since(began).Nanoseconds())/1e3)
			}
			return spreadOf(took).Median, nil
		}
	})}
}

func firstByte(ctx context.Context, d dial) error {
	conn, err := d(ctx)
	if err != nil {
		return err
	}
	defer drop(conn)
	if err := ask(conn, askEcho, 0); err != nil {
		return err
	}
	return answer(conn)
}

// listens measures how many connections are accepted a second, of several that dial all the time.
func (l *lab) listens(name, prefix string, atLeast float64, blocks int) contest {
	measure := func(r *registry.Registry) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) {
			ln, err := listen(ctx, r, prefix)
			if err != nil {
				return 0, err
			}
			defer ln.Close()
			dialCtx, cancel := context.WithCancel(ctx)
			defer cancel()
			for range dialers {
				go dialOn(dialCtx, ln.Addr())
			}
			began := time.Now()
			for range l.size.accepts {
				conn, err := ln.Accept()
				if err != nil {
					return 0, err
				}
				drop(conn)
			}
			return float64(l.size.accepts) / time.Since(began).Seconds(), nil
		}
	}
	return contest{name, "1/s", blocks, []side{
		{inProcess, goal{}, measure(l.inside)},
		{asProgram, goal{AtLeast: atLeast}, measure(l.outside)},
	}}
}

func listen(ctx context.Context, r *registry.Registry, prefix string) (net.Listener, error) {
	server, err := r.NewServer(prefix + "tcp4:0:interface=127.0.0.1:backlog=128")
	if err != nil {
		return nil, err
	}
	return server.Listen(ctx)
}

// dialOn dials, one connection after the other, until ctx is done.
func dialOn(ctx context.Context, addr net.Addr) {
	var d net.Dialer
	for ctx.Err() == nil {
		conn, err := d.DialContext(ctx, addr.Network(), addr.String())
		if err != nil {
			continue // a reset can come before the connection is known to be one
		}
		_ = answer(conn) // wait until it is closed
		drop(conn)
	}
}

// starts measures how long a plugin takes to be of use, beside a program that does nothing.
func (l *lab) starts(blocks int) contest {
	const more = 100 // ms
	milliseconds := func(f func(ctx context.Context) (func(), error)) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) {
			began := time.Now()
			end, err := f(ctx)
			if err != nil {
				return 0, err
			}
			took := time.Since(began)
			end()
			return took.Seconds() * 1e3, nil
		}
	}
	return contest{"start of a program", "ms", blocks, []side{
		{"a program that does nothing", goal{}, milliseconds(func(ctx context.Context) (func(), error) {
			return func() {}, exec.CommandContext(ctx, l.path(emptyProgram)).Run()
		})},
		{asProgram, goal{More: more}, milliseconds(func(context.Context) (func(), error) {
			p, err := l.start()
			return func() { _ = p.Close() }, err
		})},
	}}
}

// drop closes conn by a reset, so that no port waits for stray packets: thousands of them would use the ports up.
func drop(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
