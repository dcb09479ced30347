package netif

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// debounce is how long a change may wait for others that come with it before it is told.
	debounce = 100 * time.Millisecond
	// resyncEvery is how often all is listed again even though nothing seems to be missing.
	resyncEvery = 60 * time.Second
	// retryAfter is the wait before the next try when listing failed.
	retryAfter = time.Second
)

// A source is where a Watcher has its knowledge from. Only one goroutine calls list and receive.
type source interface {
	// list returns all interfaces in the order of their indexes. What receive returns later leads on from there, or
	// from a little before.
	list(ctx context.Context) ([]Interface, error)
	// receive waits for news, at most until the deadline: then the error is os.ErrDeadlineExceeded. Any other error means
	// that news may be missing, and after close it does not matter which. The events are valid until the next call.
	receive(deadline time.Time) ([]event, error)
	// close ends receive. It is called once, from any goroutine.
	close()
	// release frees what list needs; it is called once, after the last call of list and receive.
	release()
}

// A Watcher keeps a list of the machine's interfaces current. Its methods may be called from any goroutine.
type Watcher struct {
	source  source
	current atomic.Pointer[Snapshot]
	changes chan struct{}
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	close   sync.Once
	done    chan struct{}

	// The rest belongs to run.
	table     table
	lost      uint64
	missing   bool      // news were lost, and the list that makes up for it was not read yet
	publishAt time.Time // when to tell what has changed; zero: nothing has
	resyncAt  time.Time
}

// Watch lists the interfaces and watches them until Close. Ctx bounds the call only. The Watcher sees the network
// namespace of the thread that calls Watch, whoever uses it.
//
// A change is told within 100 ms, together with those that follow on it. Where the system lost news because there were
// too many, and in any case once a minute, all interfaces are listed again. Systems other than Linux are asked every
// second.
func Watch(ctx context.Context) (*Watcher, error) {
	s, err := newSource()
	if err != nil {
		return nil, err
	}
	return watch(ctx, s)
}

func watch(ctx context.Context, s source) (*Watcher, error) {
	list, err := s.list(ctx)
	if err != nil {
		s.close()
		s.release()
		return nil, err
	}
	w := &Watcher{
		source: s, changes: make(chan struct{}, 1), done: make(chan struct{}),
		resyncAt: time.Now().Add(resyncEvery),
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.table.replace(list)
	w.current.Store(&Snapshot{Interfaces: w.table.snapshot()})
	go w.run()
	return w, nil
}

// Snapshot returns the interfaces as they are now. Two snapshots may be compared with [Diff].
func (w *Watcher) Snapshot() Snapshot { return *w.current.Load() }

// Changes returns a channel that receives a value after the snapshot changed. Changes that nobody has received become
// one, so a receiver that is late gets the latest snapshot, not each. The channel is for one receiver, and it is closed
// when the Watcher is.
func (w *Watcher) Changes() <-chan struct{} { return w.changes }

// Close ends the watching and frees what it needs. It always returns nil, and may be called again.
func (w *Watcher) Close() error {
	w.close.Do(func() {
		w.cancel()
		w.source.close()
	})
	<-w.done
	return nil
}

func (w *Watcher) run() {
	defer close(w.done)
	defer close(w.changes)
	defer w.source.release()
	for {
		events, err := w.source.receive(w.deadline())
		switch {
		case w.ctx.Err() != nil:
			return
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			w.lose()
		}
		for _, e := range events {
			w.note(e)
		}
		w.tick(time.Now())
	}
}

func (w *Watcher) deadline() time.Time {
	if w.publishAt.IsZero() || w.resyncAt.Before(w.publishAt) {
		return w.resyncAt
	}
	return w.publishAt
}

// lose makes the next tick list all. News that come too fast to be held come too fast to be listed after each as well,
// therefore the pause.
func (w *Watcher) lose() {
	w.missing = true
	w.resyncAt = time.Time{}
	select {
	case <-time.After(debounce):
	case <-w.ctx.Done():
	}
}

// note does what e tells. The first news after a quiet time set the moment at which all are told, so that one that
// never stops does not hold back the others.
func (w *Watcher) note(e event) {
	now := time.Now()
	if e.op == stale {
		w.resyncAt = now
		return
	}
	w.table.apply(e)
	if w.publishAt.IsZero() {
		w.publishAt = now.Add(debounce)
	}
}

func (w *Watcher) tick(now time.Time) {
	if !now.Before(w.resyncAt) {
		w.resync(now)
	}
	if !w.publishAt.IsZero() && !now.Before(w.publishAt) {
		w.publish()
	}
}

func (w *Watcher) resync(now time.Time) {
	list, err := w.source.list(w.ctx)
	if err != nil {
		w.resyncAt = now.Add(retryAfter)
		return
	}
	w.table.replace(list)
	if w.missing {
		w.missing = false
		w.lost++
	}
	w.resyncAt = now.Add(resyncEvery)
	w.publishAt = now
}

// publish tells the receiver, unless all that changed has changed back.
func (w *Watcher) publish() {
	w.publishAt = time.Time{}
	now := Snapshot{Interfaces: w.table.snapshot(), Lost: w.lost}
	if now.equal(*w.current.Load()) {
		return
	}
	w.current.Store(&now)
	select {
	case w.changes <- struct{}{}:
	default: // the receiver has still to come for the last one, and will find this
	}
}
