package mcast

import (
	"errors"
	"net"
	"net/netip"
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
	Joined       Op = iota + 1
	Left            // also where the interface is gone
	Failed          // a membership that is wanted and can't be had now; it is tried again each second
	Outgoing        // datagrams to groups leave by this interface now; of the Membership, Index and Interface are set
	OutgoingGone    // there is no interface any more that datagrams to groups could leave by; Interface is the selector's text
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
	untold   []Change
	news     chan struct{} // closed when the watcher tells something
	closed   bool

	telling sync.Mutex // held while tell is called, so that changes are told in their order

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

// newMemberships takes over watch and follows it until Close. Tell is called, if not nil, after things changed; it may ask
// for what is now, and must not change anything.
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

// note keeps a change to be told when all is done, so that who is told finds it so.
func (m *Memberships) note(c Change) { m.untold = append(m.untold, c) }

// unlock ends a change and tells it.
func (m *Memberships) unlock() {
	told := m.untold
	m.untold = nil
	m.telling.Lock()
	defer m.telling.Unlock()
	m.changing.Unlock()
	for _, c := range told {
		m.tell(c)
	}
}

// follow makes all agree with the interfaces of the moment, and reports whether it does.
func (m *Memberships) follow() bool {
	m.changing.Lock()
	defer m.unlock()
	if m.closed {
		return true
	}
	complete := m.catchUp()
	close(m.news)
	m.news = make(chan struct{})
	return complete
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
	return complete
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
			err = f()
		}
		m.unlock()
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
