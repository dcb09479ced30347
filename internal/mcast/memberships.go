package mcast

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/epctl/endpoint/internal/netif"
)

const (
	// retryAfter is the wait before the next try where an interface that is there can't be joined.
	retryAfter = time.Second
	// settle is how long the watcher may take to tell of an interface that is there already: its debounce and a little.
	settle = 250 * time.Millisecond
)

// A kernel is what Memberships asks of a socket. The index of an interface may be one that is gone.
type kernel interface {
	join(index int, c Channel) error
	leave(index int, c Channel) error
	setOutgoing(index int) error // 0 leaves it to the routes
}

// A watcher is a netif.Watcher.
type watcher interface {
	Snapshot() netif.Snapshot
	Changes() <-chan struct{}
	Close() error
}

// A Change is what Memberships did, or could not do, when an interface changed or when it was asked to.
type Change struct {
	Membership
	Op  Op
	Err error // of Failed
}

// Op says what a Change is.
type Op uint8

// The kinds of changes.
const (
	Joined   Op = iota + 1
	Left        // also where the interface is gone
	Failed      // a membership that is wanted and can't be had now; it is tried again each second
	Outgoing    // datagrams to groups go out by this interface now; only the Membership's Index and Interface are set
)

// Memberships are the channels that a socket is joined to, and the interface that it sends to groups by. Its methods may
// be called from any goroutine.
type Memberships struct {
	kernel kernel
	watch  watcher
	tell   func(Change)
	done   chan struct{} // closed when nothing is followed any more

	changing sync.Mutex // held while something changes; it guards:
	seen     netif.Snapshot
	wants    []*want
	out      outgoing
	news     chan struct{} // closed when seen changes
	closed   bool

	// What datagrams are checked against has a lock of its own, which is not held while the kernel works.
	mu     sync.RWMutex
	joined map[place]member

	way atomic.Int64 // see Way
}

// A want is the channels that are wanted on the interfaces of one selector.
type want struct {
	selector Selector
	channels map[Channel]error // what keeps it from being joined is with the interface; this is a set
	on       map[int]*presence // by index
	round    uint64
}

// A presence is an interface on which the channels of a want are joined.
type presence struct {
	generation uint64
	name       string
	missing    map[Channel]error // those that are not, and why; nil for those that were not tried yet
	round      uint64            // of the want, when the selector meant the interface last
}

// A place is where datagrams arrive.
type place struct {
	group netip.Addr
	index int
}

// A member counts for each source, or for the zero Addr, the wants that hold it.
type member map[netip.Addr]int

// outgoing is the interface that datagrams to groups leave by.
type outgoing struct {
	selector   Selector
	index      int // 0 is none
	generation uint64
}

// newMemberships takes over watch and follows it until Close. Tell is called, if not nil, while things change, and must
// not call back.
func newMemberships(k kernel, watch watcher, tell func(Change)) *Memberships {
	if tell == nil {
		tell = func(Change) {}
	}
	m := &Memberships{
		kernel: k, watch: watch, tell: tell, done: make(chan struct{}),
		seen: watch.Snapshot(), news: make(chan struct{}), joined: map[place]member{},
	}
	go m.run()
	return m
}

func (m *Memberships) run() {
	defer close(m.done)
	retry := time.NewTimer(retryAfter)
	retry.Stop()
	for {
		select {
		case _, open := <-m.watch.Changes():
			if !open {
				return
			}
		case <-retry.C:
		}
		if !m.follow() {
			retry.Reset(retryAfter)
		}
	}
}

// Close ends the following. It leaves nothing: the kernel does when the socket is closed, which comes first.
func (m *Memberships) Close() error {
	m.changing.Lock()
	m.closed = true
	m.changing.Unlock()
	err := m.watch.Close()
	<-m.done
	return err
}

// follow makes all agree with the interfaces of the moment, and reports whether it does.
func (m *Memberships) follow() bool {
	m.changing.Lock()
	defer m.changing.Unlock()
	if m.closed {
		return true
	}
	return m.catchUp()
}

// catchUp touches only what is on interfaces that came, went or were made anew. All is left before anything is joined:
// two selectors may mean one interface, whose index may be that of a former one.
func (m *Memberships) catchUp() bool {
	before, now := m.seen, m.watch.Snapshot()
	lost := before.Lost != now.Lost
	for _, w := range m.wants {
		m.leaveGone(w, now, lost)
	}
	m.seen = now
	complete := true
	for _, w := range m.wants {
		complete = m.joinNew(w) && complete
	}
	complete = m.followOut(lost) && complete
	m.chooseWay()
	close(m.news)
	m.news = make(chan struct{})
	return complete
}

// leaveGone leaves the channels of w where the selector means the interface no more, and where it is another one than
// before or may be.
func (m *Memberships) leaveGone(w *want, now netif.Snapshot, lost bool) {
	w.round++
	w.selector.visit(now, func(i netif.Interface) {
		if p := w.on[i.Index]; p != nil && p.generation == i.Generation && !lost {
			p.round, p.name = w.round, i.Name
		}
	})
	for index, p := range w.on {
		if p.round == w.round {
			continue
		}
		i, found := now.ByIndex(index)
		gone := lost || !found || i.Generation != p.generation
		for _, c := range sorted(w.channels) {
			if _, missing := p.missing[c]; !missing {
				_ = m.release(c, index, p.name, gone)
			}
		}
		delete(w.on, index)
	}
}

// joinNew joins the channels of w where they are not joined yet, and reports whether all are now.
func (m *Memberships) joinNew(w *want) bool {
	complete := true
	w.selector.visit(m.seen, func(i netif.Interface) {
		p := w.on[i.Index]
		if p == nil {
			p = &presence{generation: i.Generation, name: i.Name, missing: maps.Clone(w.channels)}
			w.on[i.Index] = p
		}
		if len(p.missing) == 0 {
			return
		}
		for _, c := range sorted(p.missing) {
			m.joinMissing(p, c, i)
		}
		complete = complete && len(p.missing) == 0
	})
	return complete
}

func (m *Memberships) joinMissing(p *presence, c Channel, i netif.Interface) {
	err := m.hold(c, i)
	if err == nil {
		delete(p.missing, c)
		return
	}
	if p.missing[c] == nil {
		m.tell(Change{Membership: Membership{c, i.Index, i.Name}, Op: Failed, Err: err})
	}
	p.missing[c] = err
}

// hold joins c on the interface, unless another want holds it there already.
func (m *Memberships) hold(c Channel, i netif.Interface) error {
	at := place{c.Group, i.Index}
	have := m.joined[at]
	if err := have.conflict(c); err != nil {
		return err
	}
	if have[c.Source] == 0 {
		if err := m.kernel.join(i.Index, c); err != nil {
			return limit(c, len(have) > 0, err)
		}
		m.tell(Change{Membership: Membership{c, i.Index, i.Name}, Op: Joined})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if have == nil {
		have = member{}
		m.joined[at] = have
	}
	have[c.Source]++
	return nil
}

// conflict: the kernel does not do both at once either, and says so in riddles.
func (have member) conflict(c Channel) error {
	anySource := have[netip.Addr{}] > 0
	switch {
	case len(have) == 0 || anySource == !c.Source.IsValid():
		return nil
	case anySource:
		return fmt.Errorf("the group is joined for any source there: %w", syscall.EADDRINUSE)
	}
	return fmt.Errorf("the group is joined for single sources there: %w", syscall.EADDRINUSE)
}

// release undoes hold. On an interface that is gone the kernel leaves no source, only all of a group at once.
func (m *Memberships) release(c Channel, index int, name string, gone bool) error {
	last, empty := m.drop(place{c.Group, index}, c.Source)
	if !last {
		return nil
	}
	m.tell(Change{Membership: Membership{c, index, name}, Op: Left})
	switch {
	case !gone:
		return m.kernel.leave(index, c)
	case empty:
		return m.kernel.leave(index, Channel{Group: c.Group})
	}
	return nil
}

// drop reports whether nobody holds the source there any more, and whether nobody holds anything.
func (m *Memberships) drop(at place, source netip.Addr) (last, empty bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	have := m.joined[at]
	switch have[source] {
	case 0:
		return false, false
	case 1:
		delete(have, source)
	default:
		have[source]--
		return false, false
	}
	if len(have) > 0 {
		return true, false
	}
	delete(m.joined, at)
	return true, true
}

// Takes reports whether a datagram to group from source, which has no zone, belongs to a channel that is joined on the
// interface that it came in on.
func (m *Memberships) Takes(group, source netip.Addr, index int) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	have := m.joined[place{group, index}]
	return have[netip.Addr{}] > 0 || have[source] > 0
}

// Joined returns what is joined, in the order of groups, sources and indexes.
func (m *Memberships) Joined() []Membership {
	names := m.watch.Snapshot()
	m.mu.RLock()
	defer m.mu.RUnlock()
	var list []Membership
	for at, have := range m.joined {
		i, _ := names.ByIndex(at.index)
		for source := range have {
			list = append(list, Membership{Channel{at.group, source}, at.index, i.Name})
		}
	}
	slices.SortFunc(list, func(a, b Membership) int {
		return cmp.Or(a.Channel.compare(b.Channel), cmp.Compare(a.Index, b.Index))
	})
	return list
}

// Name returns the name of the interface with the given index, "" where there is none any more.
func (m *Memberships) Name(index int) string {
	i, _ := m.watch.Snapshot().ByIndex(index)
	return i.Name
}

// late reports whether err may only mean that the watcher has not told yet what the system has.
func late(err error) bool {
	return errors.Is(err, netif.ErrNoInterface) || errors.Is(err, syscall.ENODEV)
}

// patiently calls f, and again after news, while the interface that it needs may be one that just came.
func (m *Memberships) patiently(f func() error) error {
	settled := time.NewTimer(settle)
	defer settled.Stop()
	for {
		m.changing.Lock()
		news, closed := m.news, m.closed
		var err error
		if !closed {
			m.catchUp()
			news = m.news
			err = f()
		}
		m.changing.Unlock()
		switch {
		case closed:
			return net.ErrClosed
		case err == nil || !late(err):
			return err
		}
		select {
		case <-news:
		case <-settled.C:
			return err
		}
	}
}
