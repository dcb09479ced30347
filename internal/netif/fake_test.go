package netif

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// news is what a fakeSource's receive returns next.
type news struct {
	events []event
	err    error
}

// A fakeSource is a system that a test drives.
type fakeSource struct {
	system   atomic.Pointer[[]Interface] // what list returns
	failures atomic.Int32
	lists    atomic.Int32
	released atomic.Int32
	news     chan news
	closed   chan struct{}
}

func newFakeSource(system ...Interface) *fakeSource {
	f := &fakeSource{news: make(chan news, 100), closed: make(chan struct{})}
	f.put(system...)
	return f
}

var errList = errors.New("list failed")

func (f *fakeSource) put(system ...Interface) { f.system.Store(&system) }

func (f *fakeSource) list(ctx context.Context) ([]Interface, error) {
	f.lists.Add(1)
	if f.failures.Add(-1) >= 0 {
		return nil, errList
	}
	return slices.Clone(*f.system.Load()), ctx.Err()
}

func (f *fakeSource) receive(deadline time.Time) ([]event, error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case n := <-f.news:
		return n.events, n.err
	case <-timer.C:
		return nil, os.ErrDeadlineExceeded
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

func (f *fakeSource) close()   { close(f.closed) }
func (f *fakeSource) release() { f.released.Add(1) }

func (f *fakeSource) tell(events ...event) { f.news <- news{events: events} }

const up = net.FlagUp | net.FlagMulticast | net.FlagRunning

func eth(index int, name string, addrs ...Address) Interface {
	return Interface{Index: index, Name: name, MTU: 1500, Flags: up, Addrs: addrs}
}

// addr reads an address in the form of Address.String, less the scope.
func addr(prefix string, flags AddrFlags) Address {
	return Address{Prefix: netip.MustParsePrefix(prefix), Flags: flags}
}

func set(link Interface) event { return event{op: linkSet, link: link, index: link.Index} }

func gone(index int) event { return event{op: linkGone, index: index} }

func addrIs(index int, a Address) event { return event{op: addrSet, index: index, addr: a} }

func addrWas(index int, a Address) event { return event{op: addrGone, index: index, addr: a} }

// texts tells the changes in lines.
func texts(changes []Change) []string {
	var lines []string
	for _, c := range changes {
		lines = append(lines, c.String())
	}
	return lines
}

func wantLines(t testing.TB, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}
