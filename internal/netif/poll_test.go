package netif

import (
	"testing"
	"testing/synctest"
)

func TestPollingTellsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource()
		w := startWatch(t, newPollSource(s.list))
		after(t, pollEvery-1, w, false)
		s.put(eth(1, "a"))
		after(t, 1, w, true, "a")
		s.put(eth(1, "a"), eth(2, "b"))
		after(t, pollEvery, w, true, "a", "b")
		after(t, 10*pollEvery, w, false, "a", "b")
		if got := s.lists.Load(); got != 13 {
			t.Errorf("asked %d times in 12 s", got)
		}
		if w.Snapshot().Lost != 0 {
			t.Errorf("lost %d", w.Snapshot().Lost)
		}
	})
}

func TestPollingOutlivesAListThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(eth(1, "a"))
		w := startWatch(t, newPollSource(s.list))
		s.failures.Store(4)
		s.put(eth(2, "b"))
		after(t, 4*pollEvery, w, false, "a")
		after(t, pollEvery, w, true, "b")
	})
}
