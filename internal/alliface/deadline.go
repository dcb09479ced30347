package alliface

import (
	"sync"
	"time"
)

// A deadline is a time after which calls fail, those that wait too. The zero deadline is none.
type deadline struct {
	mu    sync.Mutex
	at    time.Time
	timer *time.Timer
	over  chan struct{} // closed when the time has come; nil until somebody waits or sets
}

// set changes it; the zero time is none.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = t
	if d.timer != nil && !d.timer.Stop() {
		<-d.over // the timer is about to close it
	}
	d.timer = nil
	over := d.channel()
	switch left := time.Until(t); {
	case t.IsZero():
	case left <= 0:
		close(over)
	default:
		d.timer = time.AfterFunc(left, func() { close(over) })
	}
}

// channel returns over, a new one where the old one is closed. The caller has the lock.
func (d *deadline) channel() chan struct{} {
	select {
	case <-d.over:
		d.over = make(chan struct{})
	default:
		if d.over == nil {
			d.over = make(chan struct{})
		}
	}
	return d.over
}

// passed returns a channel that is closed when the time has come.
func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over == nil {
		d.over = make(chan struct{})
	}
	return d.over
}

// time returns what was set last.
func (d *deadline) time() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
