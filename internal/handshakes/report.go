package handshakes

import (
	"sync"
	"time"
)

const reportEvery = 10 * time.Second

// A reporter tells of failures, one at a time.
type reporter struct {
	to      func(Failure)
	pause   time.Duration // from one report to the next; 0 where the failures come at that pace already
	running *sync.WaitGroup

	mu    sync.Mutex
	busy  bool
	next  time.Time
	count int
}

// add must be called from a goroutine that running knows, or from the one that waits for running later.
func (r *reporter) add(f Failure) {
	if r.to == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count += f.Count
	now := time.Now()
	if r.busy || now.Before(r.next) {
		return
	}
	f.Count, r.count = r.count, 0
	r.busy, r.next = true, now.Add(r.pause)
	r.running.Go(func() { r.tell(f) })
}

func (r *reporter) tell(f Failure) {
	r.to(f)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy = false
}
