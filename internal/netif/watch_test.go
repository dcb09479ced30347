package netif

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func startWatch(t *testing.T, s source) *Watcher {
	t.Helper()
	w, err := watch(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// changed says whether the watcher has told a change, once all that can happen now has happened.
func changed(w *Watcher) bool {
	synctest.Wait()
	select {
	case _, open := <-w.Changes():
		return open
	default:
		return false
	}
}

func names(s Snapshot) []string {
	list := []string{}
	for _, i := range s.Interfaces {
		list = append(list, i.Name)
	}
	return list
}

// after lets d pass and then checks whether a change was told and which interfaces there are.
func after(t *testing.T, d time.Duration, w *Watcher, told bool, want ...string) {
	t.Helper()
	time.Sleep(d)
	if got := changed(w); got != told {
		t.Errorf("told a change: %v, want %v", got, told)
	}
	if got := names(w.Snapshot()); !slices.Equal(got, want) {
		t.Errorf("interfaces %q, want %q", got, want)
	}
}

// LI-12
func TestChangesAreToldTogetherAfterTheDebounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(eth(1, "a"))
		w := startWatch(t, s)
		after(t, 0, w, false, "a")
		s.tell(set(eth(2, "b")))
		after(t, debounce/2, w, false, "a")
		s.tell(set(eth(3, "c")), addrIs(3, addr("192.0.2.1/24", 0)))
		after(t, debounce/2-1, w, false, "a")
		after(t, 1, w, true, "a", "b", "c")
		after(t, time.Second, w, false, "a", "b", "c")
		s.tell(gone(2))
		after(t, debounce, w, true, "a", "c")
	})
}

// LI-12
func TestEventsWithoutEndDoNotHoldBackAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(eth(1, "a"))
		w := startWatch(t, s)
		for n := range 1000 {
			s.tell(set(eth(2+n%2, "b")))
			time.Sleep(time.Millisecond)
			if n == 200 && !changed(w) {
				t.Error("no change was told in 200 ms")
			}
		}
	})
}

// LI-12
func TestFlapIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(eth(1, "a"))
		w := startWatch(t, s)
		a := addr("192.0.2.1/24", 0)
		for range 50 {
			s.tell(addrIs(1, a))
			s.tell(addrWas(1, a))
		}
		after(t, time.Second, w, false, "a")
	})
}

// MC-02
func TestInterfaceMadeAnewWithTheSameIndexIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(eth(1, "a"))
		w := startWatch(t, s)
		before := w.Snapshot()
		s.tell(gone(1))
		s.tell(set(eth(1, "a")))
		after(t, debounce, w, true, "a")
		wantLines(t, texts(Diff(before, w.Snapshot())), []string{
			"a: interface 1 removed", "a: interface 1 added (up|multicast|running)",
		})
	})
}

// LI-12
func TestLostEventsAreMadeUpForByAList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(eth(1, "a"))
		w := startWatch(t, s)
		s.put(eth(2, "b"))
		s.news <- news{err: errors.New("overflow")}
		after(t, debounce, w, true, "b")
		if w.Snapshot().Lost != 1 || s.lists.Load() != 2 {
			t.Errorf("lost %d, listed %d times", w.Snapshot().Lost, s.lists.Load())
		}
		s.tell(set(eth(3, "c")))
		after(t, debounce, w, true, "b", "c")
	})
}

// LI-12
func TestOverflowWithoutAChangeIsToldAsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(eth(1, "a"))
		w := startWatch(t, s)
		before := w.Snapshot()
		s.news <- news{err: errors.New("overflow")}
		after(t, debounce, w, true, "a")
		if got := Diff(before, w.Snapshot()); len(got) != 1 || got[0].Op != EventsLost {
			t.Errorf("changes %v", got)
		}
	})
}

// LI-12
func TestSourceThatAlwaysLosesIsListedAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(eth(1, "a"))
		startWatch(t, s)
		go func() {
			for range 100 {
				s.news <- news{err: errors.New("overflow")}
			}
		}()
		time.Sleep(time.Second)
		if got := s.lists.Load(); got < 9 || got > 12 {
			t.Errorf("listed %d times in a second", got)
		}
	})
}

// LI-12
func TestAllIsListedEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(eth(1, "a"))
		w := startWatch(t, s)
		s.put(eth(1, "a"), eth(2, "b"))
		after(t, resyncEvery-1, w, false, "a")
		after(t, 1, w, true, "a", "b")
		s.tell(set(eth(3, "c")))
		after(t, debounce, w, true, "a", "b", "c")
		after(t, resyncEvery-debounce, w, true, "a", "b")
		if w.Snapshot().Lost != 0 {
			t.Errorf("lost %d", w.Snapshot().Lost)
		}
	})
}

func TestListThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(eth(1, "a"))
		w := startWatch(t, s)
		s.put(eth(2, "b"))
		s.failures.Store(3)
		s.news <- news{err: errors.New("overflow")}
		after(t, debounce+2*retryAfter, w, false, "a")
		if w.Snapshot().Lost != 0 {
			t.Error("the loss was told before it was made up for")
		}
		after(t, retryAfter, w, true, "b")
		if w.Snapshot().Lost != 1 {
			t.Errorf("lost %d", w.Snapshot().Lost)
		}
	})
}

func TestReceiverThatIsLateGetsTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(eth(1, "a"))
		w := startWatch(t, s)
		for n := range 10 {
			s.tell(set(eth(2, string(rune('b'+n)))))
			time.Sleep(2 * debounce)
		}
		after(t, 0, w, true, "a", "k")
		after(t, 0, w, false, "a", "k")
	})
}

func TestWatchThatCannotListReleasesItsSource(t *testing.T) {
	s := newFakeSource()
	s.failures.Store(1)
	if w, err := watch(t.Context(), s); w != nil || !errors.Is(err, errList) {
		t.Errorf("watch = %v, %v", w, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	late := newFakeSource()
	if w, err := watch(ctx, late); w != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("watch = %v, %v", w, err)
	}
	for _, s := range []*fakeSource{s, late} {
		if _, open := <-s.closed; open || s.released.Load() != 1 {
			t.Errorf("closed: %v, released %d times", !open, s.released.Load())
		}
	}
}

func TestContextOfWatchBoundsTheCallOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newFakeSource(eth(1, "a"))
		w, err := watch(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = w.Close() }()
		cancel()
		s.put(eth(2, "b"))
		s.news <- news{err: errors.New("overflow")}
		after(t, debounce, w, true, "b")
	})
}

func TestCloseEndsTheWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, prepare := range map[string]func(*fakeSource){
			"idle":                  func(*fakeSource) {},
			"with a change to tell": func(s *fakeSource) { s.tell(set(eth(2, "b"))) },
			"in the pause after a loss": func(s *fakeSource) {
				s.news <- news{err: errors.New("overflow")}
			},
		} {
			s := newFakeSource(eth(1, "a"))
			w := startWatch(t, s)
			prepare(s)
			synctest.Wait()
			start := time.Now()
			for range 2 {
				if err := w.Close(); err != nil {
					t.Errorf("%s: Close = %v", name, err)
				}
			}
			if waited := time.Since(start); waited != 0 || s.released.Load() != 1 {
				t.Errorf("%s: Close took %v, released %d times", name, waited, s.released.Load())
			}
			if _, open := <-w.Changes(); open {
				t.Errorf("%s: Changes is open", name)
			}
			if got := names(w.Snapshot()); !slices.Equal(got, []string{"a"}) {
				t.Errorf("%s: snapshot %q", name, got)
			}
		}
	})
}
