package starttls

import (
	"net"
	"testing"
	"time"
)

// A clock notes the deadline that was set last.
type clock struct {
	net.Conn
	deadline time.Time
}

func (c *clock) SetDeadline(t time.Time) error {
	c.deadline = t
	return nil
}

// LI-04, ST-10: a connection that goes on, encrypted or in plain text, has no deadline left.
func TestDialoguesLeaveNoDeadline(t *testing.T) {
	for _, outcome := range []error{nil, ErrNotOffered, ErrRefused} {
		c := new(clock)
		d := newDialogue(c, "smtp")
		_ = d.within(t.Context(), time.Now().Add(time.Hour), func() error {
			if c.deadline.IsZero() {
				t.Error("the dialogue has no deadline")
			}
			if outcome == nil {
				return nil
			}
			return d.fail(outcome, "")
		})
		if !c.deadline.IsZero() {
			t.Errorf("%v: a deadline is left, %v", outcome, c.deadline)
		}
	}
}
