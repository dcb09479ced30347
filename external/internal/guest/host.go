package guest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/peer"
	"github.com/epctl/endpoint/external/internal/wire"
)

type parentKey struct{}

// A host is the process that has started this one, as far as it is called: for the endpoints that it has given.
type host struct {
	line     *fdpass.Conn
	next     atomic.Uint64
	attached chan struct{}

	send   sync.Mutex
	stream wire.Plugin_AttachServer

	mu    sync.Mutex
	calls map[uint64]chan *wire.Result
}

func newHost(line *fdpass.Conn) *host {
	return &host{line: line, attached: make(chan struct{}), calls: map[uint64]chan *wire.Result{}}
}

// Attach takes the stream on which the host is called.
func (s *server) Attach(stream wire.Plugin_AttachServer) error { return s.host.attach(stream) }

func (h *host) attach(stream wire.Plugin_AttachServer) error {
	h.send.Lock()
	first := h.stream == nil
	if first {
		h.stream = stream
		close(h.attached)
	}
	h.send.Unlock()
	if !first {
		return nil
	}
	for {
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		h.deliver(answer)
	}
}

func (h *host) deliver(answer *wire.FromHost) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if waiting, ok := h.calls[answer.Call]; ok {
		delete(h.calls, answer.Call)
		waiting <- answer.Result
	}
}

// NextID makes a number for a call.
func (h *host) NextID() uint64 { return h.next.Add(1) }

// Line is where descriptors come from.
func (h *host) Line() *fdpass.Conn { return h.line }

// Call calls the host, on behalf of the call of the host that ctx is from.
func (h *host) Call(ctx context.Context, call *wire.Call) (*wire.Result, error) {
	call.Parent, _ = ctx.Value(parentKey{}).(uint64)
	if deadline, ok := ctx.Deadline(); ok {
		call.Timeout = max(1, int64(time.Until(deadline)))
	}
	waiting := make(chan *wire.Result, 1)
	h.mu.Lock()
	h.calls[call.Id] = waiting
	h.mu.Unlock()
	if err := h.sendMessage(ctx, &wire.FromPlugin{Is: &wire.FromPlugin_Call{Call: call}}); err != nil {
		h.forget(call.Id)
		return nil, err
	}
	select {
	case result := <-waiting:
		return result, nil
	case <-h.line.Done():
		return nil, peer.ErrGone
	case <-ctx.Done():
		h.forget(call.Id)
		_ = h.sendMessage(context.WithoutCancel(ctx), &wire.FromPlugin{Is: &wire.FromPlugin_Cancel{Cancel: call.Id}})
		return nil, context.Cause(ctx)
	}
}

func (h *host) forget(id uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.calls, id)
}

func (h *host) sendMessage(ctx context.Context, m *wire.FromPlugin) error {
	select {
	case <-h.attached:
	case <-ctx.Done():
		return ctx.Err()
	}
	h.send.Lock()
	defer h.send.Unlock()
	return h.stream.Send(m)
}
