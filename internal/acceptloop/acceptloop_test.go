package acceptloop_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/acceptloop"
)

// A script is a listener that fails and succeeds as it is told, and notes when it was asked.
type script struct {
	steps  []error // one for each Accept; nil is a connection
	asked  []time.Duration
	start  time.Time
	closed chan struct{}
}

func newScript(steps ...error) *script {
	return &script{steps: steps, start: time.Now(), closed: make(chan struct{})}
}

func (s *script) Accept() (net.Conn, error) {
	select {
	case <-s.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: net.ErrClosed}
	default:
	}
	if len(s.steps) == 0 {
		<-s.closed
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: net.ErrClosed}
	}
	s.asked = append(s.asked, time.Since(s.start))
	err := s.steps[0]
	s.steps = s.steps[1:]
	if err != nil {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", err)}
	}
	ours, theirs := net.Pipe()
	_ = theirs.Close()
	return ours, nil
}

func (s *script) Close() error {
	select {
	case <-s.closed:
		return net.ErrClosed
	default:
		close(s.closed)
		return nil
	}
}

func (s *script) Addr() net.Addr { return &net.TCPAddr{} }

func repeat(err error, n int) []error { return slices.Repeat([]error{err}, n) }

func closeConn(c net.Conn) { _ = c.Close() }

func milliseconds(ns ...int) []time.Duration {
	var list []time.Duration
	for _, n := range ns {
		list = append(list, time.Duration(n)*time.Millisecond)
	}
	return list
}

// LI-01
func TestEveryErrorButClosedIsSurvivedWithABackoffThatDoubles(t *testing.T) {
	for _, errno := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED,
		syscall.EINTR, syscall.EPROTO, syscall.EPERM, syscall.EINVAL,
	} {
		t.Run(errno.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(append(repeat(errno, 10), nil)...)
				err := acceptloop.Run(t.Context(), s, func(c net.Conn) {
					closeConn(c)
					_ = s.Close()
				}, nil)
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("Run = %v, want net.ErrClosed", err)
				}
				want := milliseconds(0, 5, 15, 35, 75, 155, 315, 635, 1275, 2275, 3275)
				if !slices.Equal(s.asked, want) {
					t.Errorf("accepts at %v\nwant       %v", s.asked, want)
				}
			})
		})
	}
}

func TestASuccessEndsTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := append(repeat(syscall.EMFILE, 3), nil, nil)
		s := newScript(append(steps, repeat(syscall.EMFILE, 2)...)...)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		accepted := 0
		_ = acceptloop.Run(ctx, s, func(c net.Conn) { closeConn(c); accepted++ }, nil)
		if want := milliseconds(0, 5, 15, 35, 35, 35, 40); !slices.Equal(s.asked, want) || accepted != 2 {
			t.Errorf("accepts at %v, %d succeeded\nwant       %v, 2", s.asked, accepted, want)
		}
	})
}

// LI-01
func TestReportsAreRateLimitedAndCountWhatTheyLeaveOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(repeat(syscall.ENFILE, 1000)...)
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		var got []acceptloop.Failure
		_ = acceptloop.Run(ctx, s, closeConn, func(f acceptloop.Failure) { got = append(got, f) })
		if len(got) != 3 {
			t.Fatalf("%d reports in 25 s, want 3: %v", len(got), got)
		}
		sum := 0
		for i, f := range got {
			sum += f.Count
			if !errors.Is(f.Err, syscall.ENFILE) {
				t.Errorf("report %d: %v", i, f.Err)
			}
		}
		if got[0].Count != 1 || got[0].Delay != 5*time.Millisecond || got[2].Delay != time.Second {
			t.Errorf("reports %+v", got)
		}
		if sum > len(s.asked) || sum < len(s.asked)-10 {
			t.Errorf("reports count %d failures, there were %d", sum, len(s.asked))
		}
	})
}

func TestContextEndsTheLoop(t *testing.T) {
	cause := errors.New("shutting down")
	for name, steps := range map[string][]error{
		"in Accept": nil,
		"in a wait": repeat(syscall.EMFILE, 1000),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(steps...)
				ctx, cancel := context.WithCancelCause(t.Context())
				const when = 1500 * time.Millisecond
				time.AfterFunc(when, func() { cancel(cause) })
				err := acceptloop.Run(ctx, s, closeConn, nil)
				if err != cause {
					t.Errorf("Run = %v, want the context's cause", err)
				}
				if d := time.Since(s.start); d != when {
					t.Errorf("ended after %v, want %v", d, when)
				}
				select {
				case <-s.closed:
				default:
					t.Error("the listener is still open")
				}
			})
		})
	}
}

func TestAClosedRealListenerEndsTheLoop(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- acceptloop.Run(t.Context(), ln, closeConn, nil) }()
	_ = ln.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run = %v", err)
	}
}
