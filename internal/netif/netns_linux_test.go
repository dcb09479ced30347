package netif

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
)

// patience bounds every wait for the kernel. Nothing passes sooner or later because of it.
const patience = 20 * time.Second

// inside runs f in the namespace and fails the test with the error that it returns.
func inside(t testing.TB, ns *testenv.Netns, f func() error) {
	t.Helper()
	var err error
	ns.Do(func() { err = f() })
	if err != nil {
		t.Fatal(err)
	}
}

// watchIn returns a watcher of the namespace.
func watchIn(t testing.TB, ns *testenv.Netns) *Watcher {
	t.Helper()
	var w *Watcher
	inside(t, ns, func() (err error) {
		w, err = Watch(t.Context())
		return err
	})
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func listIn(t testing.TB, ns *testenv.Netns) Snapshot {
	t.Helper()
	var s Snapshot
	inside(t, ns, func() (err error) {
		s, err = Interfaces(context.Background())
		return err
	})
	return s
}

// await waits for a snapshot of which ok is true and returns it.
func await(t testing.TB, w *Watcher, what string, ok func(Snapshot) bool) Snapshot {
	t.Helper()
	timeout := time.After(patience)
	for {
		s := w.Snapshot()
		if ok(s) {
			return s
		}
		select {
		case <-w.Changes():
		case <-timeout:
			t.Fatalf("no snapshot in %v with %s: %+v", patience, what, s)
		}
	}
}

// awaitSystem waits until the watcher has what a list of the moment has.
func awaitSystem(t testing.TB, w *Watcher, ns *testenv.Netns) {
	t.Helper()
	await(t, w, "what the system has", func(s Snapshot) bool {
		return slices.EqualFunc(s.Interfaces, listIn(t, ns).Interfaces, equalButGeneration)
	})
}

func equalButGeneration(a, b Interface) bool {
	a.Generation = b.Generation
	return a.equal(b)
}

// has returns a condition: the interface called name has the address with the flags, of which only those in mask count.
func has(name, address string, flags, mask AddrFlags) func(Snapshot) bool {
	return func(s Snapshot) bool {
		_, a, ok := s.ByAddr(netip.MustParseAddr(address).WithZone(name))
		return ok && a.Flags&mask == flags
	}
}

func hasNot(name, address string) func(Snapshot) bool {
	return func(s Snapshot) bool { return !has(name, address, 0, 0)(s) }
}

// dad switches duplicate address detection on for the interface, which testenv's Veth switches off.
func dad(t testing.TB, ns *testenv.Netns, name string) {
	t.Helper()
	sysctl(t, ns, "net.ipv6.conf."+name+".accept_dad=1")
}

func sysctl(t testing.TB, ns *testenv.Netns, setting string) {
	t.Helper()
	testenv.Tool(t, "sysctl")
	if out, err := ns.Command("sysctl", "-qw", setting).CombinedOutput(); err != nil {
		t.Fatalf("sysctl %s: %v\n%s", setting, err, out)
	}
}

// pair returns two namespaces with a veth between them, v0 in the first and v1 in the second.
func pair(t testing.TB) (ns, peer *testenv.Netns) {
	t.Helper()
	ns, peer = testenv.NewNetns(t), testenv.NewNetns(t)
	ns.Veth("v0", peer, "v1")
	return ns, peer
}
