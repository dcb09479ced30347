package handshakes_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/handshakes"
)

// LI-03
func TestAtMaxTheOldestIsGivenUpForTheNextConnection(t *testing.T) {
	var told reports
	in(t, handshakes.Config{Max: 2, Report: told.add}, func(t *testing.T, p *peers, ln net.Listener) {
		oldest := p.connect(t)
		time.Sleep(500 * time.Millisecond)
		second := p.connect(t)
		time.Sleep(500 * time.Millisecond)
		start := time.Now()
		p.connect(t, "+", "g")
		if _, name := accept(t, ln); name != "g" || time.Since(start) != time.Second {
			t.Errorf("accepted %q after %v, want g when the oldest is 2 s old", name, time.Since(start))
		}
		if oldest.open() || !second.open() {
			t.Errorf("open: the oldest %v, the second %v", oldest.open(), second.open())
		}
		if d := oldest.life(); d != 2*time.Second {
			t.Errorf("the oldest lived %v", d)
		}
		if f := told.only(t); !errors.Is(f.Err, handshakes.ErrGivenUp) {
			t.Errorf("reported %v", f.Err)
		}
	})
}

// What was given up stays so, though its Upgrade knows nothing of it and succeeds.
func TestWhatIsGivenUpIsNotAccepted(t *testing.T) {
	for name, upgrade := range map[string]func(context.Context, net.Conn) (net.Conn, error){
		"by its context": func(ctx context.Context, c net.Conn) (net.Conn, error) {
			if c, err := password(ctx, c); err == nil {
				return c, nil
			}
			if !errors.Is(ctx.Err(), context.Canceled) {
				panic(ctx.Err())
			}
			return nil, ctx.Err()
		},
		"it succeeds": func(ctx context.Context, c net.Conn) (net.Conn, error) {
			_, _ = password(ctx, c)
			return c, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var told reports
			c := handshakes.Config{Max: 1, Upgrade: upgrade, Report: told.add}
			in(t, c, func(t *testing.T, p *peers, ln net.Listener) {
				old := p.connect(t)
				time.Sleep(5 * time.Second)
				p.connect(t, "+", "g")
				if _, name := accept(t, ln); name != "g" {
					t.Errorf("accepted %q", name)
				}
				if d := old.life(); d != 5*time.Second {
					t.Errorf("the old one lived %v", d)
				}
				if f := told.only(t); f.Err != handshakes.ErrGivenUp {
					t.Errorf("reported %v", f.Err)
				}
			})
		})
	}
}

// A place is free when Upgrade has returned; another handshake is given up if the first one does not.
func TestAStuckUpgradeDelaysByOneGrace(t *testing.T) {
	upgrade := func(ctx context.Context, c net.Conn) (net.Conn, error) {
		conn, err := password(ctx, c)
		if errors.Is(err, errWrong) {
			time.Sleep(time.Hour)
		}
		return conn, err
	}
	in(t, handshakes.Config{Max: 2, Timeout: time.Minute, Upgrade: upgrade}, func(t *testing.T, p *peers, ln net.Listener) {
		start := time.Now()
		p.connect(t, "-")
		synctest.Wait()
		silent := p.connect(t)
		p.connect(t, "+", "g")
		accept(t, ln)
		if d := time.Since(start); d != 4*time.Second || silent.life() != d {
			t.Errorf("accepted after %v, the silent peer lived %v", d, silent.life())
		}
	})
}

func TestNobodyIsGivenUpForNobody(t *testing.T) {
	in(t, handshakes.Config{Max: 1}, func(t *testing.T, p *peers, ln net.Listener) {
		slow := p.connect(t)
		time.Sleep(9 * time.Second)
		go func() { _, _ = slow.Write([]byte("+s")) }()
		if _, name := accept(t, ln); name != "s" {
			t.Errorf("accepted %q", name)
		}
	})
}

// Where the oldest succeeds, the next one to be given up is younger, and gets its 2 s too.
func TestTheGraceIsThatOfWhoeverIsOldest(t *testing.T) {
	in(t, handshakes.Config{Max: 2}, func(t *testing.T, p *peers, ln net.Listener) {
		slow := p.connect(t)
		time.Sleep(time.Second)
		silent := p.connect(t)
		time.Sleep(500 * time.Millisecond)
		go func() { _, _ = slow.Write([]byte("+s")) }()
		p.connect(t, "+", "g")
		if d := silent.life(); d != 2*time.Second {
			t.Errorf("the silent peer lived %v, want 2 s", d)
		}
		for _, want := range []string{"s", "g"} {
			if _, name := accept(t, ln); name != want {
				t.Errorf("accepted %q, want %q", name, want)
			}
		}
	})
}

// Finished connections hold their places as long as nobody accepts them, and what comes then waits in the queue.
func TestFinishedConnectionsAreNeverGivenUp(t *testing.T) {
	in(t, handshakes.Config{Max: 2}, func(t *testing.T, p *peers, ln net.Listener) {
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			p.connect(t, "+", name)
			synctest.Wait()
		}
		time.Sleep(time.Hour)
		if n := len(p.queue); n != 2 {
			t.Errorf("%d connections wait in the queue, want 2 of 5: two are finished, one waits for a place", n)
		}
		for _, want := range []string{"a", "b", "c", "d", "e"} {
			if _, name := accept(t, ln); name != want {
				t.Errorf("accepted %q, want %q", name, want)
			}
			synctest.Wait()
		}
	})
}

// After a restart all clients come at once. Each needs less than the grace for its handshake, and together much more.
func TestAHerdIsServedCompletelyAndInOrder(t *testing.T) {
	const limit, herd = 8, 500
	var now, most atomic.Int32
	var told reports
	c := handshakes.Config{Max: limit, Report: told.add}
	c.Upgrade = func(ctx context.Context, c net.Conn) (net.Conn, error) {
		for n := now.Add(1); ; {
			if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		defer now.Add(-1)
		time.Sleep(1900 * time.Millisecond)
		return password(ctx, c)
	}
	in(t, c, func(t *testing.T, p *peers, ln net.Listener) {
		for i := range herd {
			p.connect(t, "+", string(rune('a'+i%26)))
			// One after the other within each round of handshakes, so that the order is known.
			time.Sleep(time.Millisecond)
		}
		start := time.Now()
		for i := range herd {
			if _, name := accept(t, ln); name != string(rune('a'+i%26)) {
				t.Fatalf("connection %d is %q", i, name)
			}
		}
		if d := time.Since(start); d < herd/limit*time.Second {
			t.Errorf("the herd was served in %v: there was no crowd", d)
		}
		if most.Load() != limit {
			t.Errorf("%d handshakes at once, want %d", most.Load(), limit)
		}
		if all := told.all(); len(all) != 0 {
			t.Errorf("reported %v", all)
		}
	})
}

// LI-03: however many silent peers come, those who speak are served.
func TestAFloodOfSilentPeersHoldsNobodyUpForLong(t *testing.T) {
	in(t, handshakes.Config{Max: 10}, func(t *testing.T, p *peers, ln net.Listener) {
		for round := range 5 {
			for range 20 {
				p.connect(t)
			}
			start := time.Now()
			p.connect(t, "+", "g")
			accept(t, ln)
			// Two generations of ten are given up for it, and one of those before.
			if d := time.Since(start); d > 6*time.Second {
				t.Errorf("round %d: served after %v", round, d)
			}
		}
	})
}

func TestDefaultMax(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, _ net.Listener) {
		for range handshakes.DefaultMax + 3 {
			p.queue <- silence(t)
			synctest.Wait()
			if len(p.queue) > 0 {
				break
			}
		}
		if n := p.asked.Load(); n != handshakes.DefaultMax+1 {
			t.Errorf("%d accepts at once, want %d, and one that waits", n, handshakes.DefaultMax)
		}
	})
}

func silence(t *testing.T) net.Conn {
	far, near := net.Pipe()
	t.Cleanup(func() { _ = far.Close() })
	return near
}
