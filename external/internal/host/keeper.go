package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/epctl/endpoint/external/internal/peer"
	"github.com/epctl/endpoint/external/internal/supervise"
)

// ErrDisabled says that a program has crashed so often that it is not started any more.
var ErrDisabled = errors.New("it has crashed too often")

// ErrClosed says that a program is not used any more.
var ErrClosed = errors.New("it is closed")

// patience is how long a call waits for a program that may not be started again yet.
const patience = time.Second

// A Keeper has a program started when it is needed, and started anew when it has crashed.
type Keeper struct {
	start func(context.Context) (*Session, error)

	mu       sync.Mutex
	session  *Session
	starting *attempt
	backoff  supervise.Backoff
	last     error // of the latest crash
	retired  []*Session
	closed   bool
}

// NewKeeper makes a keeper of the program that start starts.
func NewKeeper(start func(context.Context) (*Session, error)) *Keeper { return &Keeper{start: start} }

// An attempt is a start that several wait for.
type attempt struct {
	done    chan struct{}
	session *Session
	err     error
}

// Session returns the running program, and starts it where it does not run.
func (k *Keeper) Session(ctx context.Context) (*Session, error) {
	for {
		a, wait, err := k.step()
		switch {
		case err != nil:
			return nil, err
		case wait > 0:
			if err := pause(ctx, wait); err != nil {
				return nil, err
			}
			continue
		}
		select {
		case <-a.done:
			return a.session, a.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// step returns what to wait for: an attempt, which may be over, or a time.
func (k *Keeper) step() (*attempt, time.Duration, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	switch {
	case k.closed:
		return nil, 0, errors.Join(peer.ErrGone, ErrClosed)
	case k.starting != nil:
		return k.starting, 0, nil
	case k.session != nil && !k.session.gone():
		return &attempt{done: closedChannel(), session: k.session}, 0, nil
	case k.session != nil:
		k.crashed(k.session, peer.ErrGone)
	}
	wait := k.backoff.Wait(now)
	switch {
	case k.backoff.Disabled():
		return nil, 0, fmt.Errorf("%w: %w, and is started no more; the latest was: %w", peer.ErrGone, ErrDisabled, k.last)
	case wait > patience:
		return nil, 0, fmt.Errorf("%w: it is started again in %v; %w", peer.ErrGone, wait.Round(time.Millisecond), k.last)
	case wait > 0:
		return nil, wait, nil
	}
	k.starting = &attempt{done: make(chan struct{})}
	go k.run(k.starting)
	return k.starting, 0, nil
}

// run starts the program. It depends on no caller's context, as several may wait.
func (k *Keeper) run(a *attempt) {
	session, err := k.start(context.Background())
	k.mu.Lock()
	k.starting = nil
	switch {
	case err != nil:
		k.last = err
		k.backoff.Crashed(time.Now())
	case k.closed:
		err = errors.Join(peer.ErrGone, ErrClosed)
	default:
		k.session = session
		go k.watch(session)
	}
	k.mu.Unlock()
	if err != nil && session != nil {
		session.Close()
		session = nil
	}
	a.session, a.err = session, err
	close(a.done)
}

// watch notices a crash when it happens, so that the time until the next start runs from there.
func (k *Keeper) watch(s *Session) {
	<-s.Done()
	k.mu.Lock()
	if k.session == s && !k.closed {
		k.crashed(s, peer.ErrGone)
	}
	k.mu.Unlock()
	s.Close() // a program that has closed the line only still runs
}

func (k *Keeper) crashed(s *Session, err error) {
	if k.session == s {
		k.session, k.last = nil, err
		k.backoff.Crashed(time.Now())
	}
}

// Running returns the session, nil where the program does not run.
func (k *Keeper) Running() *Session {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.session != nil && !k.session.gone() {
		return k.session
	}
	return nil
}

// Replace starts the program anew and lets it take over, if accept finds it right. The old process goes on with what is
// open in it, and ends when nothing is.
func (k *Keeper) Replace(ctx context.Context, accept func(*Session) error) error {
	next, err := k.start(ctx)
	if err != nil {
		return err
	}
	if err := accept(next); err != nil {
		next.Close()
		return err
	}
	k.mu.Lock()
	closed, old := k.closed, k.session
	if !closed {
		k.session, k.backoff = next, supervise.Backoff{}
		go k.watch(next)
		if old != nil {
			k.retired = append(k.retired, old)
			go k.retire(old)
		}
	}
	k.mu.Unlock()
	if closed {
		next.Close()
		return errors.Join(peer.ErrGone, ErrClosed)
	}
	return nil
}

// retire ends a process once nothing is open in it, twice in a row: a call may just be about to be made.
func (k *Keeper) retire(s *Session) {
	const often = 200 * time.Millisecond
	ticker := time.NewTicker(often)
	defer ticker.Stop()
	for idle := 0; idle < 2; {
		select {
		case <-ticker.C:
		case <-s.done:
			idle = 2
			continue
		}
		if idle++; s.busy() {
			idle = 0
		}
	}
	s.Close()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.retired = slices.DeleteFunc(k.retired, func(r *Session) bool { return r == s })
}

// Close ends the program, and what is left of those before it. Nothing is started any more.
func (k *Keeper) Close() {
	k.mu.Lock()
	starting := k.starting
	k.closed = true
	sessions := slices.Clone(k.retired)
	if k.session != nil {
		sessions = append(sessions, k.session)
	}
	k.mu.Unlock()
	if starting != nil {
		<-starting.done
	}
	for _, s := range sessions {
		s.Close()
	}
}

func closedChannel() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
