package starttls

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/trace"
)

// within runs what is said until the deadline, or the end of the context.
func (d *dialogue) within(ctx context.Context, deadline time.Time, talk func() error) error {
	if at, ok := ctx.Deadline(); ok && at.Before(deadline) {
		deadline = at
	}
	if err := d.conn.SetDeadline(deadline); err != nil {
		return d.fail(err, "")
	}
	stop := context.AfterFunc(ctx, func() { _ = d.conn.SetDeadline(time.Unix(1, 0)) })
	err := talk()
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if cause := tlsconn.Ended(ctx, deadline, err); cause != err {
		return d.ended(cause)
	}
	if err != nil && !errors.Is(err, ErrNotOffered) && !errors.Is(err, ErrRefused) {
		return err
	}
	if err := d.conn.SetDeadline(time.Time{}); err != nil {
		return d.fail(err, "")
	}
	return err
}

// tlsFailure is a handshake that failed, as an error of this package.
func tlsFailure(p protocol, err error) error {
	var failed *tlsconn.Error
	if !errors.As(err, &failed) {
		return err
	}
	cause := failed.Err
	if failed.Timeout() {
		cause = fmt.Errorf("%w: %w", ErrTimeout, cause)
	}
	return &Error{Protocol: p.name, Stage: Stage(failed.Stage), Err: cause}
}

func warn(ctx context.Context, format string, args ...any) {
	if t := trace.From(ctx); t != nil {
		t.Emit(trace.Event{Kind: trace.Warning, Layer: layer, Detail: fmt.Sprintf(format, args...)})
	}
}
