package guest

import (
	"context"

	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/trace"
)

// Do carries out a call of the host.
func (s *server) Do(ctx context.Context, call *wire.Call) (*wire.Result, error) {
	return s.local.Do(context.WithValue(ctx, parentKey{}, call.Id), call), nil
}

// Trace does so too, and tells what happens.
func (s *server) Trace(call *wire.Call, stream wire.Plugin_TraceServer) error {
	result := s.traced(context.WithValue(stream.Context(), parentKey{}, call.Id), call, stream)
	return stream.Send(&wire.Answer{Is: &wire.Answer_Result{Result: result}})
}

// waitingEvents is how many events may wait to be sent. One that comes when so many wait is lost: a tracer must not
// block.
const waitingEvents = 256

// traced sends the events of a call as they come.
func (s *server) traced(ctx context.Context, call *wire.Call, stream wire.Plugin_TraceServer) *wire.Result {
	events := make(chan *wire.Event, waitingEvents)
	ctx = trace.With(ctx, func(e trace.Event) {
		select {
		case events <- wire.EventOf(e):
		default:
		}
	})
	done := make(chan *wire.Result, 1)
	go func() { done <- s.local.Do(ctx, call) }()
	for {
		select {
		case e := <-events:
			s.sendEvent(stream, e)
		case result := <-done:
			for len(events) > 0 {
				s.sendEvent(stream, <-events)
			}
			return result
		}
	}
}

func (s *server) sendEvent(stream wire.Plugin_TraceServer, e *wire.Event) {
	// An error is that of the stream, and comes again with the result.
	_ = stream.Send(&wire.Answer{Is: &wire.Answer_Event{Event: e}})
}
