package alliface

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/trace"
)

// A source tells which interfaces there are; a *netif.Watcher is one.
type source interface {
	Snapshot() netif.Snapshot
	Changes() <-chan struct{} // closed by Close
	Close() error
}

// A socket is what a set keeps for a target.
type socket interface {
	// port returns the port that it is bound to.
	port() uint16
	// serve starts handing over what comes in; before, nothing is taken from the kernel.
	serve()
	// moved tells that the interface of the target has another name now. It is called before serve at the latest, and
	// after that from another goroutine.
	moved(Target)
	// close closes it and returns when nothing of it runs any more.
	close()
}

// A binder makes a socket for t, in the network namespace of the calling thread.
type binder func(t Target, port uint16) (socket, error)

// A set is the sockets of a logical port. Only the goroutine that makes it and then its own run touch what is not said
// to be shared.
type set struct {
	spec      Spec
	transport string // "tcp" or "udp"
	tracer    trace.Tracer
	bind      binder
	source    source // nil where nothing is followed
	where     *namespace

	now     netif.Snapshot
	wanted  []Target // what now asks for
	entries map[id]*entry
	told    map[place]string // why there is no socket for an address that is meant

	port    uint16                    // shared, as it never changes once all is bound
	ipv6    bool                      // shared likewise: the address that stands for all is IPv6
	bound   atomic.Pointer[[]binding] // shared
	changes chan struct{}
	ctx     context.Context // ends with close
	cancel  context.CancelFunc
	done    chan struct{} // run has ended
}

// An entry is a target that there has to be a socket for.
type entry struct {
	target  Target
	socket  socket // nil where there is none yet
	retry   retry
	outcast bool // the system has no such family: not to be tried again
}

// A binding is a socket and what it is bound to.
type binding struct {
	Target
	socket socket
}

func newSet(spec Spec, transport string, tracer trace.Tracer, bind binder) *set {
	s := &set{
		spec: spec, transport: transport, tracer: tracer, bind: bind, where: new(namespace),
		entries: make(map[id]*entry), told: make(map[place]string),
		changes: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.bound.Store(&[]binding{})
	return s
}

// open binds all, and follows what happens from then on.
func (s *set) open(ctx context.Context) error {
	if err := s.look(ctx); err != nil {
		return s.opError(err)
	}
	return s.start(ctx)
}

// look reads the list of interfaces, where it matters.
func (s *set) look(ctx context.Context) (err error) {
	switch {
	case s.spec.watched():
		watcher, err := netif.Watch(ctx)
		if err != nil {
			return err
		}
		s.source, s.now = watcher, watcher.Snapshot()
		s.where = thisNamespace()
	case s.spec.Mode != Wildcard:
		s.now, err = netif.Interfaces(ctx)
	}
	return err
}

// start is open for a set whose source is there already.
func (s *set) start(ctx context.Context) error {
	if err := s.bindAll(ctx); err != nil {
		s.cancel()
		s.release()
		return err
	}
	s.tellStart()
	for _, e := range s.entries {
		if e.socket != nil {
			e.socket.serve()
		}
	}
	s.share()
	go s.run()
	return nil
}

// run follows the source until close.
func (s *set) run() {
	defer close(s.done)
	defer close(s.changes)
	defer s.release()
	defer s.cancel()
	var news <-chan struct{}
	if s.source != nil {
		news = s.source.Changes()
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.setTimer(timer)
		select {
		case <-s.ctx.Done():
			return
		case <-timer.C:
		case _, ok := <-news:
			if !ok {
				return
			}
			s.now = s.source.Snapshot()
		}
		s.reconcile()
	}
}

// setTimer sets it to the next retry; a set that follows nothing never retries.
func (s *set) setTimer(timer *time.Timer) {
	timer.Stop()
	if s.source == nil {
		return
	}
	if at := s.nextRetry(); !at.IsZero() {
		timer.Reset(time.Until(at))
	}
}

func (s *set) nextRetry() (at time.Time) {
	for _, e := range s.entries {
		if e.waits() && (at.IsZero() || e.retry.at.Before(at)) {
			at = e.retry.at
		}
	}
	return at
}

// release closes all that is open. The sockets are closed at once and not one after the other, since closing waits.
func (s *set) release() {
	if s.source != nil {
		_ = s.source.Close()
	}
	s.where.close()
	var all sync.WaitGroup
	for _, e := range s.entries {
		if e.socket != nil {
			all.Go(e.socket.close)
		}
	}
	all.Wait()
	s.bound.Store(&[]binding{})
}

// close ends it. All sockets are closed and nothing runs any more when it returns; it may be called again.
func (s *set) close() {
	s.cancel()
	<-s.done
}

// share shares what is bound now.
func (s *set) share() {
	list := make([]binding, 0, len(s.wanted))
	for _, t := range s.wanted {
		if e := s.entries[s.id(t)]; e != nil && e.socket != nil {
			list = append(list, binding{e.target, e.socket})
		}
	}
	s.bound.Store(&list)
}

// announce tells whoever waits for changes.
func (s *set) announce() {
	select {
	case s.changes <- struct{}{}:
	default: // the receiver has still to come for the last one, and will find this
	}
}

// bindings returns what is bound now, in the order of interfaces and addresses. It is shared: do not write to it.
func (s *set) bindings() []binding { return *s.bound.Load() }

// addrs returns the addresses of the sockets.
func (s *set) addrs() []net.Addr {
	list := s.bindings()
	addrs := make([]net.Addr, 0, len(list))
	for _, b := range list {
		addrs = append(addrs, s.addr(b.Target))
	}
	return addrs
}

// errClosed is what every call fails with after close.
func (s *set) errClosed(op string) error {
	return &net.OpError{Op: op, Net: s.transport, Addr: s.addr(s.all()), Err: net.ErrClosed}
}

func (s *set) opError(err error) error {
	return &net.OpError{Op: "listen", Net: s.spec.network(s.transport), Addr: s.addr(s.all()), Err: err}
}

// all is the target that stands for all others.
func (s *set) all() Target { return Target{Addr: unspecified(s.ipv6)} }

func (s *set) id(t Target) id { return t.id(s.spec.device(s.now)) }
