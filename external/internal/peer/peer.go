// Package peer is what the two processes of a plugin have in common: each uses endpoints of the other, and each serves
// endpoints to the other. A host uses those that a plugin builds; a plugin uses those that it got as arguments.
package peer

import (
	"context"
	"errors"
	"net"

	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/wire"
)

// ErrGone says that the other process is gone, or was never there.
var ErrGone = errors.New("the plugin's program is gone")

// errClosedWithIt is the error of a listener that went with the other process: nothing will come any more.
var errClosedWithIt = errors.Join(ErrGone, net.ErrClosed)

// A Caller makes calls to the other process.
type Caller interface {
	// NextID is a number for a call, or for an endpoint, that was not used before.
	NextID() uint64
	// Call makes a call. Its error is that of the way there; what the other process says is in the result.
	Call(ctx context.Context, c *wire.Call) (*wire.Result, error)
	// Line is where descriptors come from.
	Line() *fdpass.Conn
}

// do makes a call and returns what it is about to receive a descriptor with. The ticket is closed where there is an
// error.
func do(ctx context.Context, caller Caller, call *wire.Call) (*wire.Result, *fdpass.Ticket, error) {
	call.Id = caller.NextID()
	ticket := caller.Line().Expect(call.Id)
	result, err := caller.Call(ctx, call)
	if err == nil && result.GetError() != nil {
		err = result.GetError().Err()
	}
	if err != nil {
		ticket.Close()
		return nil, nil, err
	}
	return result, ticket, nil
}

// failure is what package net makes of an error of a dial or a listen that is none of its own.
func failure(op, name string, err error) error {
	var opError *net.OpError
	if errors.As(err, &opError) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &net.OpError{Op: op, Net: name, Err: err}
}
