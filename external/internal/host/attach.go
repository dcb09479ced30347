package host

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/registry"
)

// mostCalls is how many calls of the plugin may be under way at once.
const mostCalls = 1024

// attached is the stream on which the plugin calls the host.
type attached struct {
	session *Session
	stream  wire.Plugin_AttachClient

	send sync.Mutex

	mu    sync.Mutex
	calls map[uint64]context.CancelFunc
}

func (s *Session) attach() error {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := s.client.Attach(ctx)
	if err != nil {
		cancel()
		return s.error(ctx, err)
	}
	a := &attached{session: s, stream: stream, calls: map[uint64]context.CancelFunc{}}
	go func() {
		<-s.done
		cancel()
	}()
	go func() {
		a.receive()
		a.cancelAll()
		s.end()
	}()
	return nil
}

func (a *attached) receive() {
	for {
		message, err := a.stream.Recv()
		if err != nil {
			return
		}
		if call := message.GetCall(); call != nil {
			a.begin(call)
			continue
		}
		a.cancel(message.GetCancel())
	}
}

func (a *attached) begin(call *wire.Call) {
	ctx, cancel := a.session.contextOf(call)
	a.mu.Lock()
	_, twice := a.calls[call.Id]
	refused := twice || len(a.calls) >= mostCalls
	if !refused {
		a.calls[call.Id] = cancel
	}
	a.mu.Unlock()
	if refused {
		cancel()
		result := &wire.Result{Is: &wire.Result_Error{Error: wire.ErrorOf(errors.New("too many calls, or one twice"))}}
		a.answer(call.Id, result)
		return
	}
	go func() {
		defer a.cancel(call.Id)
		a.answer(call.Id, a.session.local.Do(ctx, call))
	}()
}

func (a *attached) cancel(id uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if cancel := a.calls[id]; cancel != nil {
		cancel()
		delete(a.calls, id)
	}
}

func (a *attached) cancelAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, cancel := range a.calls {
		cancel()
	}
	clear(a.calls)
}

func (a *attached) answer(id uint64, result *wire.Result) {
	a.send.Lock()
	defer a.send.Unlock()
	// Fails where the plugin is gone, which who receives notices.
	_ = a.stream.Send(&wire.FromHost{Call: id, Result: result})
}

// contextOf is the context of a call of the plugin: that of the host's call on whose behalf it is made, so that the
// same tracer hears of it.
func (s *Session) contextOf(call *wire.Call) (context.Context, context.CancelFunc) {
	s.mu.Lock()
	ctx := s.calls[call.Parent]
	s.mu.Unlock()
	if ctx == nil {
		ctx = context.Background()
	}
	timeout := time.Duration(call.Timeout)
	if call.Operation == wire.Call_ACCEPT && timeout <= 0 {
		return context.WithCancel(ctx)
	}
	if timeout <= 0 || timeout > openTimeout {
		timeout = openTimeout
	}
	return context.WithTimeout(ctx, timeout)
}

// Describe asks the program what it serves, and checks what it says.
func (s *Session) Describe(ctx context.Context) (*wire.Description, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	d, err := s.client.Describe(ctx, &wire.DescribeRequest{})
	if err != nil {
		return nil, s.error(ctx, err)
	}
	return d, d.Check()
}

// Build has an endpoint built. The reply tells what is wrong with the arguments.
func (s *Session) Build(ctx context.Context, r *wire.BuildRequest) (*wire.BuildReply, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := s.client.Build(ctx, r)
	if err != nil {
		return nil, s.error(ctx, err)
	}
	return reply, nil
}

// Lend lets the plugin use an endpoint of this process, and returns the number for it.
func (s *Session) Lend(role registry.Role, endpoint any) uint64 {
	number := s.NextID()
	s.local.Add(number, role, endpoint)
	return number
}

// Release forgets an endpoint of the plugin, and those that were lent for it.
func (s *Session) Release(endpoint uint64, lent []uint64) {
	for _, number := range lent {
		s.local.Remove(number)
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	// One that stays behind costs a little memory of a process that is not this one.
	_, _ = s.client.Release(ctx, &wire.ReleaseRequest{Endpoint: endpoint})
}
