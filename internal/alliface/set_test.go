package alliface

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/netif"
)

var lo = eth(1, "lo", "127.0.0.1", "::1")

// LI-12
func TestSocketsFollowTheAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), lo, eth(2, "eth0", "192.0.2.1")).start()
		w.want("at the beginning", "127.0.0.1:80", "[::1]:80", "192.0.2.1:80")
		w.log.lines()
		for _, step := range []struct {
			what    string
			list    []netif.Interface
			sockets []string
			lines   []string
		}{
			{"an address more", []netif.Interface{lo, eth(2, "eth0", "192.0.2.1", "fe80::1")},
				[]string{"127.0.0.1:80", "[::1]:80", "192.0.2.1:80", "[fe80::1%eth0]:80"},
				[]string{"changed tcp6 [fe80::1%eth0]:80: listening on fe80::1%eth0"}},
			{"an address less", []netif.Interface{lo, eth(2, "eth0", "fe80::1")},
				[]string{"127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80"},
				[]string{"changed tcp4 192.0.2.1:80: no longer listening on 192.0.2.1 (eth0): the address is gone"}},
			{"the interface is made anew", []netif.Interface{lo, eth(9, "eth0", "fe80::1")},
				[]string{"127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80"},
				[]string{
					"changed tcp6 [fe80::1%eth0]:80: no longer listening on fe80::1%eth0: the address is gone",
					"changed tcp6 [fe80::1%eth0]:80: listening on fe80::1%eth0",
				}},
			{"the interface is down", []netif.Interface{lo, down(eth(9, "eth0", "fe80::1"))},
				[]string{"127.0.0.1:80", "[::1]:80"},
				[]string{"changed tcp6 [fe80::1%eth0]:80: no longer listening on fe80::1%eth0: the interface is down"}},
			{"nothing is left", []netif.Interface{}, nil, []string{
				"changed tcp4 127.0.0.1:80: no longer listening on 127.0.0.1 (lo): the address is gone",
				"changed tcp6 [::1]:80: no longer listening on ::1 (lo): the address is gone",
			}},
			{"something comes back", []netif.Interface{lo}, []string{"127.0.0.1:80", "[::1]:80"}, []string{
				"changed tcp4 127.0.0.1:80: listening on 127.0.0.1 (lo)",
				"changed tcp6 [::1]:80: listening on ::1 (lo)",
			}},
		} {
			w.after(step.list...)
			w.want(step.what, step.sockets...)
			if !w.changed() {
				t.Errorf("%s: no change is told", step.what)
			}
			lines := w.log.lines()
			slices.Sort(lines) // sockets are closed in any order
			slices.SortStableFunc(lines, func(a, b string) int { return len(b) - len(a) })
			slices.SortStableFunc(step.lines, func(a, b string) int { return len(b) - len(a) })
			if !slices.Equal(lines, step.lines) {
				t.Errorf("%s: told %q, want %q", step.what, lines, step.lines)
			}
		}
	})
}

// What is not about our addresses changes nothing and tells nothing.
func TestOtherNewsAreNoChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := everywhere(80)
		spec.Exclude = patterns("docker*")
		w := newWorld(t, spec, lo).start()
		w.log.lines()
		again := lo
		again.Generation++
		w.source.now.Lost++
		for _, list := range [][]netif.Interface{
			{lo, eth(7, "docker0", "172.17.0.1")}, {again}, {lo, down(eth(2, "eth0", "192.0.2.1"))}, {lo},
		} {
			w.after(list...)
		}
		w.want("after", "127.0.0.1:80", "[::1]:80")
		w.wantLines()
		if w.changed() || w.kernel.tries() != 2 {
			t.Errorf("a change is told, or %d binds instead of 2", w.kernel.tries())
		}
	})
}

// A socket on a link-local address stays as it is, and has the new name.
func TestARenamedInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), eth(2, "eth0", "192.0.2.1", "fe80::1")).start()
		w.log.lines()
		w.after(eth(2, "wan", "192.0.2.1", "fe80::1"))
		w.wantLines("changed tcp6 [fe80::1%wan]:80: fe80::1%eth0 is now fe80::1%wan")
		if w.kernel.tries() != 2 || !w.changed() {
			t.Errorf("%d binds, want 2; or no change is told", w.kernel.tries())
		}
		if addrs := fmt.Sprint(w.set.addrs()); addrs != "[192.0.2.1:80 [fe80::1%wan]:80]" { // LI-15
			t.Errorf("the addresses are %s", addrs)
		}
	})
}

// An address that two interfaces have stays as long as one of them has it.
func TestAnAddressOfTwoInterfaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), eth(2, "eth0", "192.0.2.1"), eth(3, "eth1", "192.0.2.1")).start()
		w.log.lines()
		w.after(eth(2, "eth0"), eth(3, "eth1", "192.0.2.1"))
		w.want("after", "192.0.2.1:80")
		w.wantLines()
		if b := w.set.bindings()[0]; w.kernel.tries() != 1 || b.Interface != "eth1" || w.changed() {
			t.Errorf("%d binds; the interface is %s", w.kernel.tries(), b.Interface)
		}
	})
}

// The names decide: an interface that is renamed out of the selection is left.
func TestARenamedInterfaceOutOfTheSelection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := everywhere(80)
		spec.Include = patterns("eth*", "lo")
		w := newWorld(t, spec, lo, eth(2, "eth0", "192.0.2.1")).start()
		w.after(lo, eth(2, "wan", "192.0.2.1"))
		w.want("after", "127.0.0.1:80", "[::1]:80")
	})
}

// LI-13
func TestATentativeAddressIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), lo, eth(2, "eth0", "2001:db8::1 tentative")).start()
		w.want("tentative", "127.0.0.1:80", "[::1]:80")
		w.wantLines("listening tcp4 127.0.0.1:80", "listening tcp6 [::1]:80",
			"warning tcp6 [2001:db8::1]:80: not listening on 2001:db8::1 (eth0): duplicate address detection is not over")
		time.Sleep(time.Hour)
		synctest.Wait()
		if w.kernel.tries() != 2 {
			t.Errorf("a tentative address is tried: %d binds", w.kernel.tries())
		}
		w.after(lo, eth(2, "eth0", "2001:db8::1"))
		w.want("usable", "127.0.0.1:80", "[::1]:80", "[2001:db8::1]:80")
		w.wantLines("changed tcp6 [2001:db8::1]:80: listening on 2001:db8::1 (eth0)")
	})
}

// LI-13
func TestADadfailedAddressIsSkippedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), lo, eth(2, "eth0", "2001:db8::1 tentative")).start()
		w.log.lines()
		w.after(lo, eth(2, "eth0", "2001:db8::1 dadfailed"))
		w.after(lo, eth(2, "eth0", "2001:db8::1 dadfailed", "fe80::1 tentative"))
		w.want("dadfailed", "127.0.0.1:80", "[::1]:80")
		w.wantLines(
			"warning tcp6 [2001:db8::1]:80: not listening on 2001:db8::1 (eth0): another node has the address (duplicate address detection failed)",
			"warning tcp6 [fe80::1%eth0]:80: not listening on fe80::1%eth0: duplicate address detection is not over")
	})
}

// An address that was fine can become tentative again, after the link was down for instance.
func TestAnAddressThatBecomesTentative(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), lo, eth(2, "eth0", "2001:db8::1")).start()
		w.after(lo, eth(2, "eth0", "2001:db8::1 tentative"))
		w.want("tentative", "127.0.0.1:80", "[::1]:80")
		w.after(lo, eth(2, "eth0", "2001:db8::1"))
		w.want("usable", "127.0.0.1:80", "[::1]:80", "[2001:db8::1]:80")
	})
}

// A failure to bind later is tried again, ever more rarely, and told once.
func TestALateFailureIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), lo).start()
		w.log.lines()
		w.kernel.setRefuse(map[string]error{"192.0.2.1:80": errInUse})
		start := time.Now()
		w.after(lo, eth(2, "eth0", "192.0.2.1"))
		var waits []time.Duration
		for tries := w.kernel.tries(); len(waits) < 9; tries = w.kernel.tries() {
			for w.kernel.tries() == tries {
				time.Sleep(time.Millisecond)
				synctest.Wait()
			}
			waits = append(waits, time.Since(start).Round(10*time.Millisecond))
			start = time.Now()
		}
		ms := time.Millisecond
		want := []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 5000 * ms, 5000 * ms, 5000 * ms}
		if !slices.Equal(waits, want) {
			t.Errorf("the waits are %v, want %v", waits, want)
		}
		w.wantLines("warning tcp4 192.0.2.1:80: not listening on 192.0.2.1 (eth0), will be tried again: listen tcp 192.0.2.1:80: " + errInUse.Error())
		w.kernel.setRefuse(map[string]error{"192.0.2.1:80": errOther})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		w.wantLines("warning tcp4 192.0.2.1:80: not listening on 192.0.2.1 (eth0), will be tried again: listen tcp 192.0.2.1:80: another failure")
		w.kernel.setRefuse(nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		w.want("when the port is free", "127.0.0.1:80", "[::1]:80", "192.0.2.1:80")
		w.wantLines("changed tcp4 192.0.2.1:80: listening on 192.0.2.1 (eth0), after 11 failures")
	})
}

// An address that goes is not tried any more, and begins anew when it comes back.
func TestARetryEndsWithItsAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), lo).start()
		w.kernel.setRefuse(map[string]error{"192.0.2.1:80": errInUse})
		w.after(lo, eth(2, "eth0", "192.0.2.1"))
		time.Sleep(time.Minute)
		w.after(lo)
		tries := w.kernel.tries()
		time.Sleep(time.Hour)
		synctest.Wait()
		if w.kernel.tries() != tries {
			t.Error("an address that is gone is tried")
		}
		w.kernel.setRefuse(nil)
		w.after(lo, eth(2, "eth0", "192.0.2.1"))
		w.want("after", "127.0.0.1:80", "[::1]:80", "192.0.2.1:80")
	})
}

// The sockets that are bound to an interface are made anew with it.
func TestTheDeviceIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := Spec{Port: 80, Mode: Wildcard, Watch: true, Device: "eth0", Selection: Selection{Family: Any, Loopback: true}}
		w := newWorld(t, spec, lo, eth(2, "eth0")).start()
		w.log.lines()
		w.after(lo, eth(3, "eth0"))
		w.want("after", "0.0.0.0:80", "[::]:80")
		if tries := w.kernel.tries(); tries != 4 {
			t.Errorf("%d binds, want 4", tries)
		}
		if lines := w.log.lines(); len(lines) != 4 || lines[2] != "changed tcp4 0.0.0.0:80: listening on 0.0.0.0" {
			t.Errorf("told %q", lines)
		}
	})
}

// A thousand changes at once are one.
func TestFlapsAreTakenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), lo).start()
		for range 1000 {
			w.source.put(lo, eth(2, "eth0", "192.0.2.1"))
			w.source.put(lo)
		}
		w.after(lo, eth(2, "eth0", "192.0.2.1"))
		w.want("after", "127.0.0.1:80", "[::1]:80", "192.0.2.1:80")
		changes := 0
		for w.changed() {
			changes++
		}
		if changes != 1 {
			t.Errorf("%d changes wait to be received", changes)
		}
	})
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), lo, eth(2, "eth0", "2001:db8::1"))
		w.kernel.refuse = map[string]error{"2001:db8::1": errNotHere}
		w.start()
		w.set.close()
		w.set.close()
		w.want("after close")
		if _, ok := <-w.set.changes; ok || !w.source.closed {
			t.Error("changes are open, or the source is")
		}
	})
}
