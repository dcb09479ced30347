package mcast

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/epctl/endpoint/internal/netif"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fakeWatch is a watcher that a test drives.
type fakeWatch struct {
	current atomic.Pointer[netif.Snapshot]
	changes chan struct{}
	closed  atomic.Bool
}

func newFakeWatch(interfaces ...netif.Interface) *fakeWatch {
	w := &fakeWatch{changes: make(chan struct{}, 1)}
	w.current.Store(&netif.Snapshot{Interfaces: interfaces})
	return w
}

func (w *fakeWatch) Snapshot() netif.Snapshot { return *w.current.Load() }

func (w *fakeWatch) Changes() <-chan struct{} { return w.changes }

func (w *fakeWatch) Close() error {
	if !w.closed.Swap(true) {
		close(w.changes)
	}
	return nil
}

// put makes the interfaces the present ones and tells it.
func (w *fakeWatch) put(lost uint64, interfaces ...netif.Interface) {
	slices.SortFunc(interfaces, func(a, b netif.Interface) int { return a.Index - b.Index })
	w.current.Store(&netif.Snapshot{Interfaces: interfaces, Lost: lost})
	select {
	case w.changes <- struct{}{}:
	default:
	}
}

type entry struct {
	index int
	Channel
}

// A fakeKernel does what Linux does, as far as it was seen: an entry of a socket outlives its interface, can then be
// left for all sources only, and hinders a new one on another interface with the same index.
type fakeKernel struct {
	mu       sync.Mutex
	devices  map[int]uint64   // index to generation
	entries  map[entry]uint64 // to the generation of the interface that it was joined on
	outgoing []int            // all calls
	joins    int
	leaves   int
	fail     func(index int, c Channel) error
}

func newFakeKernel(interfaces ...netif.Interface) *fakeKernel {
	k := &fakeKernel{entries: map[entry]uint64{}}
	k.have(interfaces...)
	return k
}

func (k *fakeKernel) have(interfaces ...netif.Interface) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.devices = map[int]uint64{}
	for _, i := range interfaces {
		k.devices[i.Index] = i.Generation
	}
}

func (k *fakeKernel) join(index int, c Channel) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		if err := k.fail(index, c); err != nil {
			return err
		}
	}
	generation, ok := k.devices[index]
	if !ok {
		return syscall.ENODEV
	}
	for e := range k.entries {
		switch {
		case e.index != index || e.Group != c.Group:
		case e.Source == c.Source:
			return syscall.EADDRINUSE
		case e.Source.IsValid() != c.Source.IsValid():
			return syscall.EINVAL
		}
	}
	k.joins++
	k.entries[entry{index, c}] = generation
	return nil
}

func (k *fakeKernel) leave(index int, c Channel) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.devices[index]; !ok && c.Source.IsValid() {
		return syscall.ENODEV
	}
	k.leaves++
	found := false
	maps.DeleteFunc(k.entries, func(e entry, _ uint64) bool {
		gone := e.index == index && e.Group == c.Group && (e.Source == c.Source || !c.Source.IsValid())
		found = found || gone
		return gone
	})
	if !found {
		return syscall.EADDRNOTAVAIL
	}
	return nil
}

func (k *fakeKernel) setOutgoing(index int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.devices[index]; !ok && index != 0 {
		return syscall.ENODEV
	}
	k.outgoing = append(k.outgoing, index)
	return nil
}

// all returns the entries, those of former interfaces too.
func (k *fakeKernel) all() map[entry]uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.entries)
}

// A world is a kernel and a watcher that agree, and what follows them.
type world struct {
	*Memberships
	kernel *fakeKernel
	watch  *fakeWatch
	lost   uint64

	mu   sync.Mutex
	told []string
}

func newWorld(t testing.TB, interfaces ...netif.Interface) *world {
	w := &world{kernel: newFakeKernel(interfaces...), watch: newFakeWatch(interfaces...)}
	w.Memberships = newMemberships(w.kernel, w.watch, func(c Change) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, c.String())
	})
	t.Cleanup(func() { _ = w.Memberships.Close() })
	return w
}

// become makes the interfaces the present ones, and waits until all has followed.
func (w *world) become(interfaces ...netif.Interface) {
	w.kernel.have(interfaces...)
	w.watch.put(w.lost, interfaces...)
	synctest.Wait()
}

// events returns what was told since the last call.
func (w *world) events() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := w.told
	w.told = nil
	return told
}

const up = net.FlagUp | net.FlagMulticast | net.FlagRunning

// eth is an interface that is up; the generation tells it apart from others of the same index.
func eth(index int, name string, generation uint64, addrs ...string) netif.Interface {
	i := netif.Interface{Index: index, Name: name, MTU: 1500, Flags: up, Generation: generation}
	for _, a := range addrs {
		i.Addrs = append(i.Addrs, netif.Address{Prefix: netip.MustParsePrefix(a)})
	}
	return i
}

func down(i netif.Interface) netif.Interface {
	i.Flags = net.FlagMulticast
	return i
}

func loopback() netif.Interface {
	return netif.Interface{
		Index: 1, Name: "lo", MTU: 65536, Flags: net.FlagUp | net.FlagLoopback | net.FlagRunning, Generation: 1,
		Addrs: []netif.Address{
			{Prefix: netip.MustParsePrefix("127.0.0.1/8")}, {Prefix: netip.MustParsePrefix("::1/128")},
		},
	}
}

// sel reads a selector; "" is the zero one.
func sel(text string) Selector {
	var s Selector
	if text != "" {
		if err := s.UnmarshalText([]byte(text)); err != nil {
			panic(err)
		}
	}
	return s
}

// channel reads "group" or "source→group".
func channel(text ...string) Channel {
	c := Channel{Group: netip.MustParseAddr(text[0])}
	if len(text) > 1 {
		c.Source = netip.MustParseAddr(text[1])
	}
	return c
}

func wantLines(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n%q\nwant\n%q", what, got, want)
	}
}

// memberships is what Joined returns, as text.
func (w *world) memberships() []string {
	var list []string
	for _, m := range w.Joined() {
		list = append(list, m.Channel.String()+" on "+m.Interface)
	}
	return list
}

func (w *world) wantJoined(t testing.TB, want ...string) {
	t.Helper()
	wantLines(t, "joined", w.memberships(), want...)
	if in := w.kernel.all(); len(in) != len(want) {
		t.Errorf("the kernel has %v", in)
	}
}
