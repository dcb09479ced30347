package certs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long nothing must have happened before files are read again: whoever replaces a certificate replaces
	// its key too.
	quiet = 100 * time.Millisecond
	// patience is how long a writer who never rests can put that off.
	patience = 2 * time.Second
	// relook is how often files are looked at without being told to: a network file system does not tell of changes that
	// others make, and no watch tells of a directory far above that was renamed.
	relook = time.Minute
)

// Watch reads the files, unless they are read, and again when they change, until stop is called. Report, which may be
// nil, gets what is wrong after a change, and nil after a change that left everything in order; it gets what was wrong
// at the start too. It is called from one goroutine at a time and must not call stop.
//
// The directories are watched, not the files: that of each file, and that of every symbolic link on the way to it. A
// change counts when nothing has followed it for 100 ms, or after two seconds; and once a minute the files are looked
// at anyway, for file systems that do not tell of changes. Where the system gives no watch, or one that misses a
// directory, report gets [ErrUnwatched], and the files are looked at whenever they are used.
//
// Stop waits for a report that is under way. When it returns nothing runs any more. A second call does nothing.
func (s *Store) Watch(report func(error)) (stop func()) {
	if report == nil {
		report = func(error) {}
	}
	notifier, err := s.platform.newWatcher()
	if err != nil {
		report(unwatched(err))
		return func() {}
	}
	w := &watch{
		store: s, report: report, notifier: notifier, added: map[string]fs.FileInfo{},
		kick: make(chan struct{}, 1), quit: make(chan struct{}),
	}
	w.watched.Store(&places{})
	w.running.Go(w.listen)
	set := w.look(false)
	w.seen = set.number
	if set.err != nil {
		report(set.err)
	}
	w.running.Go(w.run)
	return sync.OnceFunc(w.stop)
}

// ErrUnwatched is what the report of [Store.Watch] gets where the system does not tell of changes: nothing is wrong with
// the certificates.
var ErrUnwatched = errors.New("changes of certificates can't be watched, so their files are looked at whenever they are used")

func unwatched(err error) error { return fmt.Errorf("%w: %w", ErrUnwatched, err) }

type watch struct {
	store    *Store
	report   func(error)
	notifier *fsnotify.Watcher
	running  sync.WaitGroup
	quit     chan struct{}
	kick     chan struct{} // something has happened; holds one

	watched atomic.Pointer[places]
	added   map[string]fs.FileInfo // the directories as they were when they were added
	failure error                  // why not all places are watched
	told    string                 // the failure that was reported last
	seen    uint64                 // the outcome that was reported last
	trusted bool
}

func (w *watch) stop() {
	close(w.quit)
	_ = w.notifier.Close()
	w.running.Wait()
	w.trust(false)
}

// listen takes events all the time: the notifier of some systems can't add a directory before its events are taken.
func (w *watch) listen() {
	for {
		select {
		case event, ok := <-w.notifier.Events:
			if !ok {
				return
			}
			if !w.watched.Load().covers(event) {
				continue
			}
		case _, ok := <-w.notifier.Errors:
			// Whatever it was, events may be lost.
			if !ok {
				return
			}
		}
		select {
		case w.kick <- struct{}{}:
		default:
		}
	}
}

// run reads the files after each change that counts.
func (w *watch) run() {
	ticker := time.NewTicker(w.store.platform.relook)
	defer ticker.Stop()
	for {
		select {
		case <-w.quit:
			return
		case <-ticker.C:
			w.tell(w.look(false))
		case <-w.kick:
			if !w.settle() {
				return
			}
			w.tell(w.look(true))
		}
	}
}

// settle waits until the changes are over, and reports whether the watch goes on.
func (w *watch) settle() bool {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		rest := time.NewTimer(quiet)
		select {
		case <-w.kick:
			rest.Stop()
			continue
		case <-rest.C:
			return true
		case <-limit.C:
			rest.Stop()
			return true
		case <-w.quit:
			rest.Stop()
			return false
		}
	}
}

// look watches the right directories and reads the files. A directory that is found only by reading is watched only
// then, so the files are read once more, until no directory is new; whoever goes on making directories is heard of
// again by events.
func (w *watch) look(force bool) *set {
	var set *set
	for range 4 {
		w.follow()
		set = w.store.load(force)
		if !w.follow() {
			break
		}
	}
	if w.stopped() {
		return set // and the notifier, which is closed, takes no directories
	}
	w.trust(w.failure == nil)
	if told := text(w.failure); told != w.told {
		w.told = told
		if w.failure != nil {
			w.report(unwatched(w.failure))
		}
	}
	return set
}

func (w *watch) stopped() bool {
	select {
	case <-w.quit:
		return true
	default:
		return false
	}
}

// tell reports an outcome that was not reported yet.
func (w *watch) tell(set *set) {
	if set.number != w.seen {
		w.seen = set.number
		w.report(set.err)
	}
}

// follow makes the notifier watch the places where changes show now, and reports whether there is a new one.
func (w *watch) follow() (news bool) {
	next := w.store.places()
	w.watched.Store(&next)
	alive := map[string]bool{}
	for _, dir := range w.notifier.WatchList() {
		alive[dir] = true
	}
	for dir := range w.added {
		if _, wanted := next[dir]; !wanted {
			w.drop(dir)
		}
	}
	w.failure = nil
	for dir := range next {
		info, err := os.Stat(dir)
		if err == nil && alive[dir] && w.added[dir] != nil && os.SameFile(w.added[dir], info) {
			continue
		}
		if err == nil {
			err = w.add(dir, info)
		}
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			news = true // what was there a moment ago is not: look again for what is
		} else {
			w.failure = fmt.Errorf("%s: %w", printable(dir), err)
		}
	}
	return news
}

// add begins to watch dir, also where another directory of that name was watched before.
func (w *watch) add(dir string, info fs.FileInfo) error {
	w.drop(dir)
	err := w.notifier.Add(dir)
	if err == nil {
		w.added[dir] = info
	}
	return err
}

// drop may find that the notifier has dropped the directory already, because it is gone.
func (w *watch) drop(dir string) {
	if w.added[dir] != nil {
		_ = w.notifier.Remove(dir)
		delete(w.added, dir)
	}
}

// trust says whether the watch sees every change, so that nobody else has to look at the files.
func (w *watch) trust(sound bool) {
	switch {
	case sound == w.trusted:
		return
	case sound:
		w.store.watching.Add(1)
	default:
		w.store.watching.Add(-1)
	}
	w.trusted = sound
}
