package handshakes_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/handshakes"
)

func wantClosed(t *testing.T, err error) {
	t.Helper()
	var op *net.OpError
	if !errors.Is(err, net.ErrClosed) || !errors.As(err, &op) || op.Op != "accept" || op.Net != "peers" || op.Addr != (peersAddr{}) {
		t.Errorf("Accept fails with %v (%T)", err, err)
	}
}

// LI-05
func TestCloseEndsEverything(t *testing.T) {
	var told reports
	c := handshakes.Config{Max: 2, Report: told.add}
	var ended error
	c.Upgrade = func(ctx context.Context, c net.Conn) (net.Conn, error) {
		conn, err := password(ctx, c)
		ended = ctx.Err()
		return conn, err
	}
	in(t, c, func(t *testing.T, p *peers, ln net.Listener) {
		finished := p.connect(t, "+", "f")
		synctest.Wait()
		underWay := p.connect(t)
		synctest.Wait()
		inHand := p.connect(t)
		synctest.Wait()
		start := time.Now()
		if err := ln.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("Close took %v", d)
		}
		if finished.open() || underWay.open() || inHand.open() {
			t.Errorf("open: finished %v, under way %v, in hand %v", finished.open(), underWay.open(), inHand.open())
		}
		_, err := ln.Accept()
		wantClosed(t, err)
		if !errors.Is(ended, context.Canceled) {
			t.Errorf("the context of the handshake ended with %v", ended)
		}
		if all := told.all(); len(all) != 0 {
			t.Errorf("reported %v", all)
		}
	})
}

// LI-05
func TestCloseUnblocksAcceptAndMayBeCalledAgain(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		var waiting []<-chan error
		for range 3 {
			waiting = append(waiting, pending(ln))
		}
		p.connect(t)
		synctest.Wait()
		var closers sync.WaitGroup
		for range 5 {
			closers.Go(func() {
				if err := ln.Close(); err != nil {
					t.Errorf("Close = %v", err)
				}
			})
		}
		closers.Wait()
		for _, done := range waiting {
			wantClosed(t, <-done)
		}
		if err := ln.Close(); err != nil {
			t.Errorf("Close after Close = %v", err)
		}
		if n := p.closes.Load(); n != 1 {
			t.Errorf("the inner listener was closed %d times", n)
		}
	})
}

// LI-01, LI-05
func TestCloseDoesNotWaitForABackoff(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		for range 100 {
			p.fail <- syscall.EMFILE
		}
		time.Sleep(10*time.Second + time.Millisecond)
		start := time.Now()
		_ = ln.Close()
		if d := time.Since(start); d != 0 {
			t.Errorf("Close took %v", d)
		}
	})
}

func TestCloseReturnsWhenTheLastUpgradeHas(t *testing.T) {
	returned := false
	c := handshakes.Config{Upgrade: func(ctx context.Context, c net.Conn) (net.Conn, error) {
		_, err := password(ctx, c)
		time.Sleep(time.Second)
		returned = true
		return nil, err
	}}
	in(t, c, func(t *testing.T, p *peers, ln net.Listener) {
		p.connect(t)
		synctest.Wait()
		_ = ln.Close()
		if !returned {
			t.Error("Close returned before Upgrade")
		}
	})
}

// A connection may be finished in the moment of Close, or after.
func TestWhatIsFinishedAfterCloseIsClosed(t *testing.T) {
	c := handshakes.Config{Upgrade: func(ctx context.Context, c net.Conn) (net.Conn, error) {
		<-ctx.Done()
		return c, nil
	}}
	in(t, c, func(t *testing.T, p *peers, ln net.Listener) {
		late := p.connect(t)
		synctest.Wait()
		_ = ln.Close()
		if late.open() {
			t.Error("the connection is open")
		}
	})
}

// A connection that is slow to close, as a *tls.Conn may be, delays neither the loop nor the others.
func TestConnectionsAreClosedAtOneTime(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		for range 10 {
			p.queue <- slowClose{silence(t)}
			far, near := net.Pipe()
			p.queue <- slowClose{near}
			_, _ = far.Write([]byte("+"))
			_ = far.Close()
		}
		synctest.Wait()
		start := time.Now()
		_ = ln.Close()
		if d := time.Since(start); d != 10*time.Second {
			t.Errorf("Close took %v, want the 5 s of a connection as accepted and the 5 s of the same as upgraded", d)
		}
	})
}

type slowClose struct{ net.Conn }

func (c slowClose) Close() error {
	err := c.Conn.Close()
	time.Sleep(5 * time.Second)
	return err
}

func TestCloseGivesTheInnerListenersError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for inner, want := range map[error]error{
			nil:            nil,
			errPeersClosed: nil, // somebody else closed it
			syscall.EIO:    syscall.EIO,
		} {
			ln := handshakes.Listen(t.Context(), closesWith{newPeers(), inner}, handshakes.Config{Upgrade: password})
			for range 2 {
				if err := ln.Close(); err != want {
					t.Errorf("Close = %v, want %v", err, want)
				}
			}
		}
	})
}

type closesWith struct {
	*peers
	err error
}

func (c closesWith) Close() error {
	_ = c.peers.Close()
	return c.err
}

func TestWhenTheInnerListenerEnds(t *testing.T) {
	var told reports
	in(t, handshakes.Config{Report: told.add}, func(t *testing.T, p *peers, ln net.Listener) {
		p.connect(t, "+", "a")
		p.connect(t, "+", "b")
		underWay := p.connect(t)
		synctest.Wait()
		_ = p.Close()
		synctest.Wait()
		if underWay.open() {
			t.Error("the handshake goes on")
		}
		names := ""
		for range 2 {
			_, name := accept(t, ln)
			names += name
		}
		if names != "ab" && names != "ba" {
			t.Errorf("accepted %q", names)
		}
		for range 2 {
			if _, err := ln.Accept(); err != errPeersClosed {
				t.Errorf("Accept fails with %v, want the inner listener's error", err)
			}
		}
		if all := told.all(); len(all) != 0 {
			t.Errorf("reported %v", all)
		}
		_ = ln.Close()
		_, err := ln.Accept()
		wantClosed(t, err)
	})
}

func TestAnAcceptThatWaitsLearnsThatTheInnerListenerEnded(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		done := pending(ln)
		if !waits(done) {
			t.Fatal(<-done)
		}
		_ = p.Close()
		if err := <-done; err != errPeersClosed {
			t.Errorf("Accept fails with %v", err)
		}
	})
}
