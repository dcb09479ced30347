package handshakes_test

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/handshakes"
)

type deadliner interface{ SetDeadline(time.Time) error }

func setDeadline(t *testing.T, ln net.Listener, at time.Time) {
	t.Helper()
	if err := ln.(deadliner).SetDeadline(at); err != nil {
		t.Errorf("SetDeadline: %v", err)
	}
}

func wantTimeout(t *testing.T, err error) {
	t.Helper()
	var op *net.OpError
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &op) || op.Op != "accept" || !op.Timeout() {
		t.Errorf("Accept fails with %v, want a timeout", err)
	}
}

func TestAcceptFailsAtTheDeadline(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		for name, at := range map[string]time.Time{
			"monotonic": time.Now().Add(time.Minute),
			"wall":      time.Now().Add(time.Minute).Round(0),
		} {
			start := time.Now()
			setDeadline(t, ln, at)
			_, err := ln.Accept()
			wantTimeout(t, err)
			if d := time.Since(start); d != max(0, at.Sub(start)) {
				t.Errorf("%s: after %v", name, d)
			}
		}
	})
}

func TestADeadlineThatHasPassedComesBeforeAConnection(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		p.connect(t, "+", "g")
		synctest.Wait()
		for _, at := range []time.Time{time.Now(), time.Now().Add(-time.Second), time.Unix(1, 0)} {
			setDeadline(t, ln, at)
			for range 2 {
				_, err := ln.Accept()
				wantTimeout(t, err)
			}
		}
		setDeadline(t, ln, time.Time{})
		if _, name := accept(t, ln); name != "g" {
			t.Errorf("accepted %q", name)
		}
	})
}

func TestADeadlineReachesAnAcceptThatWaits(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		setDeadline(t, ln, time.Now().Add(time.Second))
		one, two := pending(ln), pending(ln)
		setDeadline(t, ln, time.Now().Add(time.Hour)) // later
		time.Sleep(2 * time.Second)
		setDeadline(t, ln, time.Time{}) // never
		time.Sleep(2 * time.Hour)
		if !waits(one) || !waits(two) {
			t.Fatal("a deadline that was moved is in force")
		}
		setDeadline(t, ln, time.Now())
		wantTimeout(t, <-one)
		wantTimeout(t, <-two)
	})
}

func TestADeadlineIsNotForHandshakes(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		c := p.connect(t)
		setDeadline(t, ln, time.Now().Add(time.Second))
		_, err := ln.Accept()
		wantTimeout(t, err)
		time.Sleep(time.Second)
		go func() { _, _ = c.Write([]byte("+g")) }()
		synctest.Wait()
		setDeadline(t, ln, time.Now().Add(time.Second))
		if _, name := accept(t, ln); name != "g" {
			t.Errorf("accepted %q", name)
		}
	})
}

func TestNoDeadlineAfterClose(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		setDeadline(t, ln, time.Now().Add(time.Second))
		_ = ln.Close()
		time.Sleep(time.Minute)
		_, err := ln.Accept()
		wantClosed(t, err)
		if err := ln.(deadliner).SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("SetDeadline = %v", err)
		}
	})
}

// A method is there only where it can do its work.
func TestTheMethodsOfTheInnerListener(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fake := newPeers()
	for _, tc := range []struct {
		inner net.Listener
		raw   bool
	}{{inner, true}, {fake, false}} {
		ln := handshakes.Listen(t.Context(), tc.inner, handshakes.Config{Upgrade: password})
		defer func() { _ = ln.Close() }()
		if ln.Addr() != tc.inner.Addr() {
			t.Errorf("Addr is %v", ln.Addr())
		}
		if got := ln.(interface{ NetListener() net.Listener }).NetListener(); got != tc.inner {
			t.Errorf("NetListener is a %T", got)
		}
		raw, ok := ln.(syscall.Conn)
		if ok != tc.raw {
			t.Errorf("over a %T: SyscallConn is there: %v", tc.inner, ok)
		}
		if ok {
			if _, err := raw.SyscallConn(); err != nil {
				t.Error(err)
			}
		}
		if _, ok := ln.(interface{ File() (*os.File, error) }); ok {
			t.Error("there is a File, which has no handshakes")
		}
	}
}
