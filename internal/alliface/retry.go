package alliface

import (
	"errors"
	"time"
)

const (
	minRetry = 100 * time.Millisecond
	maxRetry = 5 * time.Second
)

// A retry is what is remembered of the failures of an entry.
type retry struct {
	err   error // the last one
	count int
	delay time.Duration
	at    time.Time // when to try again
}

// failed notes a failure: the next try comes 100 ms after the first, then after twice the time up to 5 s.
func (e *entry) failed(err error) {
	r := &e.retry
	r.err, r.count = err, r.count+1
	r.delay = min(max(2*r.delay, minRetry), maxRetry)
	r.at = time.Now().Add(r.delay)
	e.outcast = errors.Is(err, errNoFamily)
}

func (e *entry) succeeded(socket socket) {
	e.socket, e.retry = socket, retry{}
	socket.moved(e.target)
}

// absent says whether the last try failed because the machine does not have what the entry is about.
func (e *entry) absent() bool { return e.outcast || errors.Is(e.retry.err, errNotHere) }

// waits says whether there has to be another try.
func (e *entry) waits() bool { return e.socket == nil && !e.outcast }

func (e *entry) due(now time.Time) bool { return e.waits() && !now.Before(e.retry.at) }
