package alliface

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/trace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

// A fakeSource is a system that a test drives.
type fakeSource struct {
	mu      sync.Mutex
	now     netif.Snapshot
	changes chan struct{}
	closed  bool
}

func newFakeSource(list ...netif.Interface) *fakeSource {
	return &fakeSource{now: netif.Snapshot{Interfaces: list}, changes: make(chan struct{}, 1)}
}

func (f *fakeSource) Snapshot() netif.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fakeSource) Changes() <-chan struct{} { return f.changes }

func (f *fakeSource) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		close(f.changes)
	}
	return nil
}

// put is what a watcher does when something has changed.
func (f *fakeSource) put(list ...netif.Interface) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now.Interfaces = list
	select {
	case f.changes <- struct{}{}:
	default:
	}
}

const running = net.FlagUp | net.FlagMulticast | net.FlagRunning

// eth is an interface that is up and has addresses: an address and after a space its flag, or a prefix.
func eth(index int, name string, addrs ...string) netif.Interface {
	i := netif.Interface{Index: index, Name: name, MTU: 1500, Flags: running}
	for _, text := range addrs {
		bare, flag, _ := strings.Cut(text, " ")
		addr := netip.MustParseAddr(bare)
		i.Addrs = append(i.Addrs, netif.Address{Prefix: netip.PrefixFrom(addr, addr.BitLen()), Flags: flags[flag]})
	}
	return i
}

var flags = map[string]netif.AddrFlags{
	"tentative": netif.Tentative, "dadfailed": netif.Tentative | netif.DADFailed,
	"optimistic": netif.Tentative | netif.Optimistic, "deprecated": netif.Deprecated,
}

func down(i netif.Interface) netif.Interface {
	i.Flags &^= net.FlagUp
	return i
}

// A fakeKernel makes sockets that do nothing, and refuses as a test says.
type fakeKernel struct {
	mu     sync.Mutex
	refuse map[string]error // by address and port, or by address
	ports  []uint16         // what port 0 becomes
	open   []string
	binds  int
}

type fakeSocket struct {
	kernel *fakeKernel
	at     netip.AddrPort
	name   string
}

func (k *fakeKernel) bind(t Target, port uint16) (socket, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.binds++
	at := netip.AddrPortFrom(t.Addr, port)
	if port == 0 {
		at = netip.AddrPortFrom(t.Addr, k.ports[0])
		k.ports = k.ports[1:]
	}
	err := k.refuse[at.String()]
	if err == nil {
		err = k.refuse[t.Addr.String()]
	}
	if err == nil && slices.Contains(k.open, at.String()) {
		err = errInUse
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(at), Err: err}
	}
	s := &fakeSocket{kernel: k, at: at, name: at.String()}
	k.open = append(k.open, s.name)
	return s, nil
}

func (s *fakeSocket) port() uint16 { return s.at.Port() }
func (s *fakeSocket) serve()       {}
func (s *fakeSocket) moved(Target) {}
func (s *fakeSocket) close() {
	s.kernel.mu.Lock()
	defer s.kernel.mu.Unlock()
	at := slices.Index(s.kernel.open, s.name)
	s.kernel.open = slices.Delete(s.kernel.open, at, at+1)
}

func (k *fakeKernel) setRefuse(refuse map[string]error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refuse = refuse
}

func (k *fakeKernel) tries() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.binds
}

func (k *fakeKernel) sockets() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(slices.Values(k.open))
}

// A log is what a tracer heard.
type log struct {
	mu     sync.Mutex
	events []trace.Event
}

func (l *log) trace(e trace.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// lines are the events in words, and forgotten then.
func (l *log) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for _, e := range l.events {
		line := string(e.Kind) + " " + e.Network + " " + e.Local.String()
		if e.Detail != "" {
			line += ": " + e.Detail
		}
		if e.Err != nil {
			line += ": " + e.Err.Error()
		}
		lines = append(lines, line)
	}
	l.events = nil
	return lines
}

// A world is a set with everything around it faked.
type world struct {
	t      *testing.T
	source *fakeSource
	kernel *fakeKernel
	log    *log
	set    *set
}

func everywhere(port uint16) Spec {
	return Spec{
		Layer: "alliface", Port: port, Mode: Each, Watch: true,
		Selection: Selection{Family: Any, Loopback: true},
	}
}

func newWorld(t *testing.T, spec Spec, list ...netif.Interface) *world {
	w := &world{t: t, source: newFakeSource(list...), kernel: &fakeKernel{}, log: &log{}}
	w.set = newSet(spec, "tcp", w.log.trace, w.kernel.bind)
	w.set.source, w.set.now = w.source, w.source.Snapshot()
	return w
}

// start starts the set, which has to work.
func (w *world) start() *world {
	w.t.Helper()
	if err := w.set.start(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.set.close)
	return w
}

// after tells of a change and waits until all is done.
func (w *world) after(list ...netif.Interface) {
	w.source.put(list...)
	synctest.Wait()
}

func (w *world) want(what string, sockets ...string) {
	w.t.Helper()
	slices.Sort(sockets)
	if got := w.kernel.sockets(); !slices.Equal(got, sockets) {
		w.t.Errorf("%s: the sockets are %q, want %q", what, got, sockets)
	}
	var addrs []string
	for _, a := range w.set.addrs() {
		addrs = append(addrs, a.String())
	}
	slices.Sort(addrs)
	if len(addrs) != len(sockets) {
		w.t.Errorf("%s: the addresses are %q, want %q", what, addrs, sockets)
	}
}

func (w *world) wantLines(lines ...string) {
	w.t.Helper()
	if got := w.log.lines(); !slices.Equal(got, lines) {
		w.t.Errorf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

// changed says whether the set told of a change since the last time.
func (w *world) changed() bool {
	select {
	case _, ok := <-w.set.changes:
		return ok
	default:
		return false
	}
}

var errOther = errors.New("another failure")

func patterns(texts ...string) []Pattern {
	var list []Pattern
	for _, text := range texts {
		var p Pattern
		if err := p.UnmarshalText([]byte(text)); err != nil {
			panic(fmt.Sprintf("%s: %v", text, err))
		}
		list = append(list, p)
	}
	return list
}
