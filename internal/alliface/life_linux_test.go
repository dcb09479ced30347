package alliface

import (
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/testenv"
)

// LI-12: established connections go on whatever comes and goes.
func TestAddressesComeAndGo(t *testing.T) {
	h := newHouse(t, everywhere(0))
	local := linkLocal(t, h.ns, "v0") + "%v0"
	h.await("at the beginning", are("127.0.0.1", "::1", local))
	h.neighbour.IP("addr add 192.0.2.2/24 dev v1")
	h.neighbour.IP("addr add 2001:db8::2/64 dev v1 nodad")
	old, err := h.dial(h.ns, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	for _, c := range []struct{ add, host string }{
		{"192.0.2.1/24 dev v0", "192.0.2.1"},
		{"192.0.2.9/24 dev v0", "192.0.2.9"},
		{"2001:db8::1/64 dev v0 nodad", "2001:db8::1"},
	} {
		start := time.Now()
		h.ns.IP("addr add " + c.add)
		h.await("added", has(c.host))
		t.Logf("%s: %v from before ip to a bound socket", c.host, time.Since(start))
		h.reach(h.ns, c.host)
		h.reach(h.neighbour, c.host)
	}
	established, err := h.dial(h.neighbour, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	defer established.Close()
	for _, c := range []struct{ del, host string }{
		{"192.0.2.9/24 dev v0", "192.0.2.9"},
		{"2001:db8::1/64 dev v0", "2001:db8::1"},
	} {
		h.ns.IP("addr del " + c.del)
		h.await("removed", hasNot(c.host))
	}
	h.await("after", are("127.0.0.1", "::1", local, "192.0.2.1"))
	for _, c := range []net.Conn{old, established} {
		if err := ask(c); err != nil {
			t.Errorf("%s: %v", c.RemoteAddr(), err)
		}
	}
	h.ns.IP("addr add 2001:db8::1/64 dev v0 nodad")
	h.await("added again", has("2001:db8::1"))
	h.reach(h.neighbour, "2001:db8::1")
}

// LI-13: the address stays tentative for as long as there is no carrier.
func TestATentativeAddressIsBoundWhenItIsUsable(t *testing.T) {
	h := newHouse(t, everywhere(0))
	sysctl(t, h.ns, "net.ipv6.conf.v0.accept_dad=1")
	h.neighbour.IP("addr add 2001:db8::2/64 dev v1 nodad")
	h.neighbour.IP("link set v1 down")
	h.ns.IP("addr add 2001:db8::1/64 dev v0")
	h.log.await(t, "not listening on 2001:db8::1 (v0): duplicate address detection is not over")
	h.await("tentative", hasNot("2001:db8::1"))
	h.neighbour.IP("link set v1 up")
	h.neighbour.IP("addr replace 2001:db8::2/64 dev v1 nodad")
	h.await("usable", has("2001:db8::1"))
	h.reach(h.neighbour, "2001:db8::1")
	h.log.await(t, "listening on 2001:db8::1 (v0)")
}

// LI-13
func TestAnAddressOfAnotherNodeIsSkipped(t *testing.T) {
	h := newHouse(t, everywhere(0))
	sysctl(t, h.ns, "net.ipv6.conf.v0.accept_dad=1")
	h.neighbour.IP("addr add 2001:db8::1/64 dev v1 nodad")
	h.ns.IP("addr add 2001:db8::1/64 dev v0")
	h.log.await(t, "not listening on 2001:db8::1 (v0): another node has the address (duplicate address detection failed)")
	h.await("dadfailed", hasNot("2001:db8::1"))
	// What is repaired is bound.
	h.neighbour.IP("addr del 2001:db8::1/64 dev v1")
	h.ns.IP("addr del 2001:db8::1/64 dev v0")
	h.ns.IP("addr add 2001:db8::1/64 dev v0")
	h.await("added again", has("2001:db8::1"))
}

// LI-13: with freeBind there is no time in which an address is not listened on.
func TestFreeBindDoesNotWait(t *testing.T) {
	options := sockopt.DefaultListen()
	options.FreeBind = true
	h := &house{t: t, ns: testenv.NewNetns(t), neighbour: testenv.NewNetns(t), log: &log{}}
	h.ns.Veth("v0", h.neighbour, "v1")
	sysctl(t, h.ns, "net.ipv6.conf.v0.accept_dad=1")
	h.neighbour.IP("link set v1 down")
	h.openWith(everywhere(0), options)
	h.ns.IP("addr add 2001:db8::1/64 dev v0")
	h.await("tentative", has("2001:db8::1"))
	h.neighbour.IP("link set v1 up")
	h.neighbour.IP("addr add 2001:db8::2/64 dev v1 nodad")
	eventually(t, "the tentative address answers once it is usable", func() bool {
		c, err := h.dial(h.neighbour, "2001:db8::1")
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// eventually polls.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// LI-12
func TestAThousandFlaps(t *testing.T) {
	h := newHouse(t, everywhere(0))
	h.neighbour.IP("addr add 192.0.2.2/24 dev v1")
	h.ns.IP("addr add 192.0.2.1/24 dev v0")
	h.await("before", are("127.0.0.1", "::1", "192.0.2.1", linkLocal(t, h.ns, "v0")+"%v0"))
	old, err := h.dial(h.ns, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := ask(old); err != nil {
		t.Fatal(err)
	}
	files, goroutines := descriptors(t), runtime.NumGoroutine()
	var flaps []string
	for range 1000 {
		flaps = append(flaps, "addr del 192.0.2.1/24 dev v0", "addr add 192.0.2.1/24 dev v0")
	}
	flaps = append(flaps, "addr add 2001:db8::1/64 dev v0 nodad") // by which we know that all is done
	batch(t, h.ns, flaps...)
	h.await("after", func(hosts []string) bool { return has("2001:db8::1")(hosts) && has("192.0.2.1")(hosts) })
	h.reach(h.neighbour, "192.0.2.1")
	h.ns.IP("addr del 2001:db8::1/64 dev v0")
	h.await("one less", hasNot("2001:db8::1"))
	if err := ask(old); err != nil {
		t.Errorf("the connection from before: %v", err)
	}
	eventually(t, "as many descriptors and goroutines as before", func() bool {
		return descriptors(t) <= files && runtime.NumGoroutine() <= goroutines
	})
}

// LI-12: so many at once that news may be lost; the end is right.
func TestHundredsOfAddressesAtOnce(t *testing.T) {
	h := newHouse(t, everywhere(0))
	local := linkLocal(t, h.ns, "v0") + "%v0"
	want := []string{"127.0.0.1", "::1", local}
	var add []string
	for n := range 250 {
		four, six := fmt.Sprintf("10.0.%d.1", n), fmt.Sprintf("2001:db8:%x::1", n+1)
		want = append(want, four, six)
		add = append(add, "addr add "+four+"/24 dev v0", "addr add "+six+"/64 dev v0 nodad")
	}
	h.await("before", are("127.0.0.1", "::1", local))
	files := descriptors(t)
	batch(t, h.ns, add...)
	h.await("added", are(want...))
	h.reach(h.ns, "10.0.0.1", "10.0.249.1", "2001:db8:fa::1")
	h.ns.IP("addr flush dev v0 scope global")
	h.await("removed", are("127.0.0.1", "::1", local))
	eventually(t, "as many descriptors as before", func() bool { return descriptors(t) <= files })
}

// IPv6 goes, and comes back.
func TestIPv6IsDisabledAndEnabled(t *testing.T) {
	ns := testenv.NewNetns(t)
	sysctl(t, ns, "net.ipv6.conf.all.disable_ipv6=1")
	h := (&house{t: t, ns: ns, log: &log{}}).open(everywhere(0))
	h.await("disabled", are("127.0.0.1"))
	h.log.await(t, "IPv6 is left out: no interface that is up has an address")
	if !h.Addr().(*net.TCPAddr).IP.Equal(net.IPv4zero) {
		t.Errorf("the address is %s", h.Addr())
	}
	sysctl(t, ns, "net.ipv6.conf.all.disable_ipv6=0")
	h.await("enabled", are("127.0.0.1", "::1"))
	h.reach(ns, "127.0.0.1", "::1")
	sysctl(t, ns, "net.ipv6.conf.all.disable_ipv6=1")
	h.await("disabled again", are("127.0.0.1"))
}

// lo goes, and comes back.
func TestLoIsDownAndUp(t *testing.T) {
	h := newHouse(t, everywhere(0))
	local := linkLocal(t, h.ns, "v0") + "%v0"
	h.ns.IP("link set lo down")
	h.await("down", are(local))
	h.ns.IP("link set lo up")
	h.await("up", are("127.0.0.1", "::1", local))
	h.reach(h.ns, "127.0.0.1", "::1")
}

// An address that comes while another program has the port there is bound when the port is free.
func TestAPortThatIsTakenLater(t *testing.T) {
	h := newHouse(t, everywhere(0))
	var other *net.TCPListener
	inside(t, h.ns, func() (err error) {
		other, err = freeBound(h, "192.0.2.1")
		return err
	})
	defer other.Close()
	h.ns.IP("addr add 192.0.2.1/24 dev v0")
	h.log.await(t, "not listening on 192.0.2.1 (v0), will be tried again")
	h.await("taken", hasNot("192.0.2.1"))
	_ = other.Close()
	h.await("free", has("192.0.2.1"))
	h.reach(h.ns, "192.0.2.1")
}

// LI-12: the listener belongs to the namespace that it was made in, and its sockets for later addresses too.
func TestLaterSocketsAreInTheSameNamespace(t *testing.T) {
	h := newHouse(t, everywhere(0))
	h.ns.IP("addr add 127.0.0.77/32 dev lo") // an address that every namespace can bind
	h.await("added", has("127.0.0.77"))
	h.reach(h.ns, "127.0.0.77")
	ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 77), Port: int(h.port)})
	if err != nil {
		t.Fatalf("the socket is in the namespace of the test: %v", err)
	}
	_ = ln.Close()
}
