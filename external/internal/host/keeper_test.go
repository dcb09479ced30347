package host

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/external/internal/peer"
)

// PL-10
func TestAProgramThatDoesNotStartIsDisabledInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts []time.Duration
		begin := time.Now()
		failure := errors.New("no cheese")
		k := NewKeeper(func(context.Context) (*Session, error) {
			starts = append(starts, time.Since(begin))
			return nil, failure
		})
		var err error
		for range 100 {
			if _, err = k.Session(t.Context()); errors.Is(err, ErrDisabled) {
				break
			}
			if errors.Is(err, peer.ErrGone) {
				time.Sleep(100 * time.Millisecond) // it may not be started yet
			}
		}
		if !errors.Is(err, ErrDisabled) || !errors.Is(err, peer.ErrGone) || !errors.Is(err, failure) {
			t.Fatalf("in the end: %v", err)
		}
		want := []time.Duration{0, 100, 300, 700, 1500, 3100}
		if len(starts) != len(want) {
			t.Fatalf("it was started at %v", starts)
		}
		for i := range want {
			if starts[i] < want[i]*time.Millisecond {
				t.Errorf("start %d was at %v", i, starts[i])
			}
		}
		if _, again := k.Session(t.Context()); !errors.Is(again, ErrDisabled) || len(starts) != len(want) {
			t.Errorf("later: %v", again)
		}
	})
}

func TestAStartIsOneForAllWhoWaitAndEndsForNobodyWhoGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		starts := 0
		failure := errors.New("in the end")
		k := NewKeeper(func(ctx context.Context) (*Session, error) {
			starts++
			time.Sleep(3 * time.Second)
			return nil, errors.Join(ctx.Err(), failure)
		})
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var waiting sync.WaitGroup
		for range 10 {
			waiting.Go(func() {
				if _, err := k.Session(t.Context()); !errors.Is(err, failure) || errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		if _, err := k.Session(hasty); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		waiting.Wait()
		if starts != 1 {
			t.Errorf("it was started %d times", starts)
		}
	})
}

func TestAClosedKeeperStartsNothing(t *testing.T) {
	k := NewKeeper(func(context.Context) (*Session, error) { return nil, errors.New("started") })
	k.Close()
	k.Close()
	if _, err := k.Session(t.Context()); !errors.Is(err, ErrClosed) || strings.Contains(err.Error(), "started") {
		t.Error(err)
	}
}
