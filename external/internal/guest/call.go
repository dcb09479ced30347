package guest

import (
	"context"

	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/trace"
)

// Do carries out a call of the host.
func (s *server) Do(call *wire.Call, stream wire.Plugin_DoServer) error {
	ctx := context.WithValue(stream.Context(), parentKey{}, call.Id)
	var result *wire.Result
	if call.Trace {
		result = s.traced(ctx, call, stream)
	} else {
		result = s.local.Do(ctx, call)
	}
	return stream.Send(&wire.Answer{Is: &wire.Answer_Result{Result: result}})
}

// waitingEvents is how many events may wait to be sent. One that comes when so many wait is lost: a tracer must not
// block.
const waitingEvents = 256

// traced sends the events of a call as they come.
func (s *server) traced(ctx context.Context, call *wire.Call, stream wire.Plugin_DoServer) *wire.Result {
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

func (s *server) sendEvent(stream wire.Plugin_DoServer, e *wire.Event) {
	// An error is that of the stream, and comes again with the result.
	_ = stream.Send(&wire.Answer{Is: &wire.Answer_Event{Event: e}})
}
