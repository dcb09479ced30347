// Package host is the side of the line between two processes that uses plugins: it starts their program, calls it, and
// starts it anew when it has crashed.
package host

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/peer"
	"github.com/epctl/endpoint/external/internal/supervise"
	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/trace"
)

const (
	// What involves no network takes no time worth mentioning.
	callTimeout = 5 * time.Second
	// A dial, a listen or a look-up whose context has no deadline: longer than systems try to connect.
	openTimeout = 5 * time.Minute
	maxErrors   = 1024   // bytes of an error's text
	mostEvents  = 10_000 // of a call
)

// A Session is one run of a plugin's program.
type Session struct {
	running *supervise.Running
	client  wire.PluginClient
	line    *fdpass.Conn
	local   *peer.Local
	done    chan struct{}
	end     func()
	next    atomic.Uint64
	number  uint64 // of the session, to tell its events from others

	mu    sync.Mutex
	calls map[uint64]context.Context // by id, those that are under way
}

// Start starts a program and begins to talk to it. It takes at most timeout.
func Start(ctx context.Context, c supervise.Command, timeout time.Duration) (*Session, error) {
	line, theirs, err := fdpass.Pair()
	if err != nil {
		return nil, err
	}
	c.Files = append([]*os.File{theirs}, c.Files...)
	running, err := supervise.Start(ctx, c, timeout)
	_ = theirs.Close()
	if err != nil {
		_ = line.Close()
		return nil, err
	}
	s := &Session{
		running: running, client: wire.NewPluginClient(running.Conn()), line: line,
		local: peer.NewLocal(line, func(string) {}), done: make(chan struct{}), calls: map[uint64]context.Context{},
		number: rand.Uint64N(1 << 22),
	}
	s.end = sync.OnceFunc(s.finish)
	if err := s.attach(); err != nil {
		s.Close()
		return nil, err
	}
	go func() {
		_ = line.Run()
		s.end()
	}()
	go func() {
		<-running.Exited()
		s.end()
	}()
	return s, nil
}

// finish ends all that depends on the program; the program itself is ended by who uses it no more.
func (s *Session) finish() {
	_ = s.line.Close()
	close(s.done)
	s.local.Close()
}

// busy reports whether a call is under way, or something open that needs the program.
func (s *Session) busy() bool {
	s.mu.Lock()
	calls := len(s.calls)
	s.mu.Unlock()
	return calls > 0 || s.line.Open() > 0
}

// Done is closed when the program is of no use any more.
func (s *Session) Done() <-chan struct{} { return s.done }

// PID is the number of the program's process.
func (s *Session) PID() int { return s.running.PID() }

// Close ends the program, and does not return before it has ended.
func (s *Session) Close() {
	s.running.Close()
	s.end()
}

// NextID makes a number for a call or an endpoint.
func (s *Session) NextID() uint64 { return s.next.Add(1) }

// Line is where descriptors come from.
func (s *Session) Line() *fdpass.Conn { return s.line }

// Call makes a call, and passes on what is told of it.
func (s *Session) Call(ctx context.Context, call *wire.Call) (*wire.Result, error) {
	s.enter(call.Id, ctx)
	defer s.leave(call.Id)
	bounded, cancel := bound(ctx, call.Operation)
	defer cancel()
	var result *wire.Result
	var err error
	if tracer := trace.From(ctx); tracer != nil {
		result, err = s.traced(bounded, call, tracer)
	} else {
		result, err = s.client.Do(bounded, call)
	}
	if err != nil {
		return nil, s.error(ctx, err)
	}
	return result, nil
}

func (s *Session) traced(ctx context.Context, call *wire.Call, tracer trace.Tracer) (*wire.Result, error) {
	stream, err := s.client.Trace(ctx, call)
	if err != nil {
		return nil, err
	}
	for range mostEvents {
		answer, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if result := answer.GetResult(); result != nil {
			return result, nil
		}
		if event, ok := s.event(answer.GetEvent()); ok {
			tracer.Emit(event)
		}
	}
	return nil, errors.New("the plugin tells of nothing but events")
}

func bound(ctx context.Context, operation wire.Call_Operation) (context.Context, context.CancelFunc) {
	switch operation {
	case wire.Call_ACCEPT:
		return context.WithCancel(ctx)
	case wire.Call_CLOSE:
		return context.WithTimeout(ctx, callTimeout)
	}
	return context.WithTimeout(ctx, openTimeout)
}

func (s *Session) enter(id uint64, ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[id] = ctx
}

func (s *Session) leave(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, id)
}

// event is the event that the program tells, with an ID that no other event of this process has: those of package trace
// count up from 1.
func (s *Session) event(e *wire.Event) (trace.Event, bool) {
	if e == nil {
		return trace.Event{}, false
	}
	const mark = 1 << 63
	return e.Event(func(id uint64) uint64 { return mark | s.number<<40 | id&(1<<40-1) })
}

// error says why a call did not come back: because the caller wants it no more, the program is gone, or the program
// breaks the rules.
func (s *Session) error(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.gone() {
		return peer.ErrGone
	}
	told, ok := status.FromError(err)
	switch {
	case !ok:
		return errors.New(wire.Clean(err.Error(), maxErrors))
	case told.Code() == codes.DeadlineExceeded:
		return context.DeadlineExceeded
	case told.Code() == codes.Unavailable:
		// The connection broke, which is noticed here first: the next call is one of the next process.
		s.end()
		return peer.ErrGone
	}
	return errors.New("the plugin breaks the rules: " + wire.Clean(told.Message(), maxErrors))
}

func (s *Session) gone() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}
