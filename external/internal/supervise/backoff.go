package supervise

import "time"

const (
	firstDelay  = 100 * time.Millisecond
	longestWait = 30 * time.Second
	window      = time.Minute
	mostCrashes = 5 // in the window; with one more the plugin is disabled
)

// A Backoff says when a plugin that has crashed may be started again: 100 ms after the first crash, twice as long after
// each further one up to 30 s, and never after more than five within a minute. A minute without a crash forgets them.
type Backoff struct {
	crashes  []time.Time // of the last minute
	delay    time.Duration
	next     time.Time
	disabled bool
}

// Crashed tells of a crash, or of a start that failed.
func (b *Backoff) Crashed(now time.Time) {
	recent := b.crashes[:0]
	for _, t := range b.crashes {
		if now.Sub(t) < window {
			recent = append(recent, t)
		}
	}
	if len(recent) == 0 {
		b.delay = 0
	}
	b.crashes = append(recent, now)
	b.delay = min(max(2*b.delay, firstDelay), longestWait)
	b.next = now.Add(b.delay)
	b.disabled = b.disabled || len(b.crashes) > mostCrashes
}

// Wait is how long the next start has to wait.
func (b *Backoff) Wait(now time.Time) time.Duration { return max(b.next.Sub(now), 0) }

// Disabled reports whether the plugin is not started any more.
func (b *Backoff) Disabled() bool { return b.disabled }
