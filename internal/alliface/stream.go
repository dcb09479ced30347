package alliface

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/epctl/endpoint/internal/acceptloop"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/trace"
)

// A Server makes listeners by one spec, any number of times and from any goroutine.
type Server struct {
	spec    Spec
	backlog int
	options sockopt.Listen
}

// NewServer prepares for a spec that has no [Spec.StreamProblems]. Backlog is how many connections may wait on each
// socket; 0 is the most that the system lets. It does no I/O.
func NewServer(s Spec, backlog int, o sockopt.Listen) *Server {
	s.Device, s.Tentative = o.BindToDevice, o.FreeBind
	return &Server{s, backlog, o}
}

// Listen binds a socket for each address, or none: then the error is a *net.OpError with the address that failed. It is
// [ErrNoAddress] where there is nothing to bind. The context bounds this call only; its tracer goes on being told what
// happens to the listener.
func (s *Server) Listen(ctx context.Context) (*Listener, error) {
	l := s.listener(trace.From(ctx))
	if err := l.set.open(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

func (s *Server) listener(t trace.Tracer) *Listener {
	l := &Listener{conns: make(chan net.Conn)}
	l.set = newSet(s.spec, "tcp", t, func(to Target, port uint16) (socket, error) {
		return l.bind(s.listenSpec(netip.AddrPortFrom(to.Addr, port)))
	})
	return l
}

func (s *Server) listenSpec(at netip.AddrPort) tcpsock.ListenSpec {
	return tcpsock.ListenSpec{Layer: s.spec.Layer, Addr: at, Backlog: s.backlog, Options: s.options}
}

// A Listener is a [net.Listener] over the sockets of all addresses.
type Listener struct {
	set   *set
	conns chan net.Conn // not buffered: senders take turns, so that a busy socket can't keep others from being heard
}

// bind makes the socket of one address. Its context is not that of Listen, so that a port which is given up again, as
// it is not free everywhere, is not told.
func (l *Listener) bind(spec tcpsock.ListenSpec) (socket, error) {
	ln, err := tcpsock.NewListener(spec).Listen(context.Background())
	if err != nil {
		return nil, err
	}
	return newStreamSocket(l, ln), nil
}

// Accept returns the next connection, a *net.TCPConn, of whichever socket it comes in on. After Close the error is
// net.ErrClosed; there is no other.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.set.ctx.Done():
		return nil, l.set.errClosed("accept")
	}
}

// Close closes all sockets and the connections that nobody has accepted. It always returns nil, and may be called again.
func (l *Listener) Close() error {
	l.set.close()
	return nil
}

// Addr returns the port with the address that stands for all: :: where there is IPv6, else 0.0.0.0. It stays the same.
func (l *Listener) Addr() net.Addr { return l.set.addr(l.set.all()) }

// Addrs returns the addresses, each a *net.TCPAddr, that are listened on at the moment.
func (l *Listener) Addrs() []net.Addr { return l.set.addrs() }

// Changes returns a channel that receives a value after Addrs changed. Changes that nobody has received become one. The
// channel is for one receiver, and it is closed when the listener is.
func (l *Listener) Changes() <-chan struct{} { return l.set.changes }

// A streamSocket accepts connections on one address.
type streamSocket struct {
	ln      net.Listener
	conns   chan<- net.Conn
	report  func(acceptloop.Failure, *streamSocket)
	target  atomic.Pointer[Target]
	ctx     context.Context
	cancel  context.CancelFunc
	serving bool
	done    chan struct{}
}

func newStreamSocket(l *Listener, ln net.Listener) *streamSocket {
	s := &streamSocket{ln: ln, conns: l.conns, report: l.tell, done: make(chan struct{})}
	// A child of the set's context, so that all end at once.
	s.ctx, s.cancel = context.WithCancel(l.set.ctx)
	return s
}

func (s *streamSocket) port() uint16 { return s.ln.Addr().(*net.TCPAddr).AddrPort().Port() }

func (s *streamSocket) moved(t Target) { s.target.Store(&t) }

func (s *streamSocket) serve() {
	s.serving = true
	go func() {
		defer close(s.done)
		// The error says only that it was closed.
		_ = acceptloop.Run(s.ctx, s.ln, s.handOver, func(f acceptloop.Failure) { s.report(f, s) })
	}()
}

func (s *streamSocket) handOver(c net.Conn) {
	s.nameZone(c)
	select {
	case s.conns <- c:
	case <-s.ctx.Done():
		_ = c.Close()
	}
}

// nameZone gives link-local addresses the name that the interface has now: package net has it from a list that may be a
// minute old. It hands out one and the same *net.TCPAddr for a connection each time, and nobody has seen it yet.
func (s *streamSocket) nameZone(c net.Conn) {
	zone := s.target.Load().Addr.Zone()
	if zone == "" {
		return
	}
	for _, a := range [...]net.Addr{c.LocalAddr(), c.RemoteAddr()} {
		if a, ok := a.(*net.TCPAddr); ok && a.IP.IsLinkLocalUnicast() {
			a.Zone = zone
		}
	}
}

func (s *streamSocket) close() {
	s.cancel()
	_ = s.ln.Close()
	if s.serving {
		<-s.done
	}
}

// tell tells of failed accepts.
func (l *Listener) tell(f acceptloop.Failure, s *streamSocket) {
	t := *s.target.Load()
	l.set.warn(t, f.Err, "accepting on %s failed %d times, next try in %s", t, f.Count, f.Delay)
}
