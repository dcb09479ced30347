package main

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/epctl/endpoint/internal/acceptloop"
	"github.com/epctl/endpoint/registry"
)

type listenCmd struct {
	String   string    `arg:"" name:"string" help:"Endpoint string of a server."`
	Role     roleFlag  `placeholder:"ROLE" help:"Listen as a server or as a packet-server; otherwise as the first of them that it can be."`
	Echo     bool      `help:"Send back what comes, instead of showing it; datagrams are shown too with --json."`
	Once     bool      `help:"End after the first connection, or the first datagram."`
	JSON     bool      `name:"json" help:"Write what comes as JSON, an object a line."`
	Raw      bool      `help:"Do not escape what comes, on a terminal either."`
	MaxConns int       `default:"64" help:"Connections at a time; more wait."`
	Trace    traceFlag `help:"Tell on stderr what happens, as lines of text or with =json as JSON."`
}

func (c *listenCmd) Help() string {
	return "The addresses are told on stderr, and so are clients whose handshake failed. What comes is written to stdout until a signal ends it."
}

func (c *listenCmd) wanted() []registry.Role {
	return c.Role.or(registry.RoleServer, registry.RolePacketServer)
}

// Validate is called by kong.
func (c *listenCmd) Validate() error {
	if c.MaxConns < 1 {
		return errors.New("--max-conns must be at least 1")
	}
	return c.Role.among(registry.RoleServer, registry.RolePacketServer)
}

// Run listens until a signal, or until the end of the first connection with --once.
func (c *listenCmd) Run(ctx context.Context, a *app) error {
	role, err := a.pick(c.String, c.wanted()...)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	traced, flush := a.warned(ctx, c.Trace)
	defer flush()
	if role == registry.RolePacketServer {
		return signalOr(ctx, c.packets(traced, a))
	}
	return signalOr(ctx, c.streams(traced, a))
}

func (c *listenCmd) streams(ctx context.Context, a *app) error {
	server, err := a.registry.NewServer(c.String)
	if err != nil {
		return err
	}
	ln, err := server.Listen(ctx)
	if err != nil {
		return err
	}
	defer ln.Close()
	a.announce(ln.Addr(), ln)
	s := &streamListener{listenCmd: c, app: a, slots: make(chan struct{}, c.MaxConns)}
	return s.run(ctx, ln)
}

// announce says where it listens: on each address where the listener has several.
func (a *app) announce(addr net.Addr, listener any) {
	for _, addr := range addressesOf(addr, listener) {
		_ = a.err.print("listening on " + address(addr) + "\n")
	}
}

// addressesOf returns the addresses that a listener has.
func addressesOf(addr net.Addr, listener any) []net.Addr {
	if several, ok := listener.(interface{ Addrs() []net.Addr }); ok {
		if addrs := several.Addrs(); len(addrs) > 0 {
			return addrs
		}
	}
	return []net.Addr{addr}
}

// A streamListener serves the connections of one listener.
type streamListener struct {
	*listenCmd
	*app
	slots chan struct{} // one in it for each connection
	conns sync.WaitGroup
	once  error // of the first connection
}

func (s *streamListener) run(ctx context.Context, ln net.Listener) error {
	accepting, stop := context.WithCancel(ctx)
	defer stop()
	err := acceptloop.Run(accepting, ln, func(conn net.Conn) {
		if s.Once {
			stop()
			s.once = s.serve(ctx, conn)
			return
		}
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			_ = conn.Close()
			return
		}
		s.conns.Go(func() {
			defer func() { <-s.slots }()
			if err := s.serve(ctx, conn); err != nil {
				s.report(err)
			}
		})
	}, s.failure)
	s.conns.Wait()
	if s.Once && ctx.Err() == nil {
		return s.once
	}
	return err
}
