package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interrupted says which signal ended a verb.
type interrupted struct{ syscall.Signal }

func (i interrupted) Error() string { return "ended by a signal: " + i.Signal.String() }

// untilSignal returns a context that ends with the first SIGINT, SIGTERM or SIGHUP, of which its cause tells. A second
// signal finds its usual effect.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(interrupted{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}
