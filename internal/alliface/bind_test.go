package alliface

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/netif"
)

// LI-10
func TestAllOrNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), lo, eth(2, "eth0", "192.0.2.1", "2001:db8::1"))
		w.kernel.refuse = map[string]error{"192.0.2.1:80": errInUse}
		err := w.set.start(context.Background())
		var op *net.OpError
		if !errors.Is(err, errInUse) || !errors.As(err, &op) || op.Addr.String() != "192.0.2.1:80" {
			t.Errorf("the error is %v", err)
		}
		w.want("after the failure")
		if !w.source.closed {
			t.Error("the source is still watched")
		}
		lines := w.log.lines()
		if len(lines) != 1 || lines[0] != "listening tcp4 192.0.2.1:80: listen tcp 192.0.2.1:80: "+errInUse.Error() {
			t.Errorf("told %q", lines)
		}
	})
}

// LI-11
func TestAFreePortIsFreeOnAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(0), lo, eth(2, "eth0", "192.0.2.1"))
		w.kernel.ports = []uint16{1001, 1002, 1003}
		w.kernel.refuse = map[string]error{"192.0.2.1:1001": errInUse, "[::1]:1002": errInUse}
		w.start()
		w.want("the third port", "127.0.0.1:1003", "[::1]:1003", "192.0.2.1:1003")
		if got := w.set.addr(w.set.all()).String(); got != "[::]:1003" {
			t.Errorf("the address is %s", got)
		}
		// An address that comes later has the same port.
		w.after(lo, eth(2, "eth0", "192.0.2.1", "192.0.2.2"))
		w.want("later", "127.0.0.1:1003", "[::1]:1003", "192.0.2.1:1003", "192.0.2.2:1003")
	})
}

// LI-11
func TestAFreePortIsLookedForSixteenTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(0), eth(1, "lo", "127.0.0.1", "::1"))
		for port := range uint16(100) {
			w.kernel.ports = append(w.kernel.ports, 1000+port)
		}
		w.kernel.refuse = map[string]error{"::1": errInUse}
		err := w.set.start(context.Background())
		if !errors.Is(err, errInUse) || w.kernel.tries() != 32 {
			t.Errorf("%v after %d binds, want 16 times 2", err, w.kernel.tries())
		}
		w.want("after the failure")
	})
}

func TestAContextThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), lo)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := w.set.start(ctx); !errors.Is(err, context.Canceled) || w.kernel.tries() != 0 {
			t.Errorf("%v after %d binds", err, w.kernel.tries())
		}
	})
}

// What looks usable but is not there yet, or not any more, keeps nobody from listening.
func TestAnAddressThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), lo, eth(2, "eth0", "2001:db8::1"))
		w.kernel.refuse = map[string]error{"2001:db8::1": errNotHere}
		w.start()
		w.want("without it", "127.0.0.1:80", "[::1]:80")
		w.kernel.setRefuse(nil)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		w.want("with it", "127.0.0.1:80", "[::1]:80", "[2001:db8::1]:80")
	})
}

func TestAFamilyThatTheMachineLacks(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spec  Spec
		list  []netif.Interface
		lines []string
		addr  string
	}{
		{"IPv6 is disabled", everywhere(80), []netif.Interface{eth(1, "lo", "127.0.0.1")}, []string{
			"listening tcp4 127.0.0.1:80", "warning tcp6 [::]:80: IPv6 is left out: no interface that is up has an address",
		}, "0.0.0.0:80"},
		{"lo is down", everywhere(80), []netif.Interface{down(lo), eth(2, "eth0", "2001:db8::1")}, []string{
			"listening tcp6 [2001:db8::1]:80", "warning tcp4 0.0.0.0:80: IPv4 is left out: no interface that is up has an address",
		}, "[::]:80"},
		{"by wildcard", Spec{Port: 80, Mode: Wildcard, Selection: Selection{Family: Any, Loopback: true}}, nil, []string{
			"listening tcp4 0.0.0.0:80", "warning tcp6 [::]:80: IPv6 is left out: the system does not have it: listen tcp [::]:80: " + errNoFamily.Error(),
		}, "0.0.0.0:80"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tc.spec, tc.list...)
				w.kernel.refuse = map[string]error{"::": errNoFamily}
				w.start()
				w.wantLines(tc.lines...)
				if got := w.set.addr(w.set.all()).String(); got != tc.addr {
					t.Errorf("the address is %s, want %s", got, tc.addr)
				}
				time.Sleep(time.Hour) // it is not tried again either
			})
		})
	}
}

func TestNothingToListenOn(t *testing.T) {
	only := everywhere(80)
	only.Include = patterns("eth7")
	six := everywhere(80)
	six.Family = IPv6
	many := eth(2, "eth0")
	for n := range 12 {
		many.Addrs = append(many.Addrs, eth(2, "eth0", fmt.Sprintf("192.0.2.%d", n+1)).Addrs...)
	}
	for _, tc := range []struct {
		name string
		spec Spec
		list []netif.Interface
		want string
	}{
		{"no interface", everywhere(80), nil, "listen tcp [::]:80: no address to listen on: the machine has no address"},
		{"not included", only, []netif.Interface{lo},
			"listen tcp [::]:80: no address to listen on: lo 127.0.0.1: not in include; lo ::1: not in include"},
		{"no such family", six, []netif.Interface{eth(1, "lo", "127.0.0.1")},
			"listen tcp6 [::]:80: no address to listen on: lo 127.0.0.1: family=6"},
		{"many", only, []netif.Interface{many},
			"listen tcp [::]:80: no address to listen on: eth0 192.0.2.1: not in include; eth0 192.0.2.2: not in include; " +
				"eth0 192.0.2.3: not in include; eth0 192.0.2.4: not in include; eth0 192.0.2.5: not in include; " +
				"eth0 192.0.2.6: not in include; eth0 192.0.2.7: not in include; eth0 192.0.2.8: not in include; and 4 more"},
		{"a free port, but no address yet", everywhere(0), []netif.Interface{eth(2, "eth0", "2001:db8::1 tentative")},
			"listen tcp [::]:0: no address to listen on: eth0 2001:db8::1: duplicate address detection is not over"},
	} {
		w := newWorld(t, tc.spec, tc.list...)
		err := w.set.start(context.Background())
		if !errors.Is(err, ErrNoAddress) || err.Error() != tc.want {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
}

func TestTheFirstAddressIsStillToCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, everywhere(80), eth(2, "eth0", "2001:db8::1 tentative")).start()
		w.want("before")
		w.after(eth(2, "eth0", "2001:db8::1"))
		w.want("after", "[2001:db8::1]:80")
	})
}

func TestAnIncludeThatMatchesNothingIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := everywhere(80)
		spec.Include = patterns("lo", "eht0", "10.0.0.0/8", "eth1")
		w := newWorld(t, spec, eth(1, "lo", "127.0.0.1"), eth(2, "eth1")).start()
		w.wantLines("listening tcp4 127.0.0.1:80",
			"warning tcp6 [::]:80: IPv6 is left out: no interface that is up has an address",
			"warning tcp4 0.0.0.0:80: include=eht0 matches no interface and no address",
			"warning tcp4 0.0.0.0:80: include=10.0.0.0/8 matches no interface and no address")
	})
}

// Without watch the sockets stay as they are.
func TestNothingIsFollowedWithoutWatch(t *testing.T) {
	spec := everywhere(80)
	spec.Watch = false
	w := newWorld(t, spec, lo, eth(2, "eth0", "2001:db8::1"))
	w.kernel.refuse = map[string]error{"2001:db8::1": errNotHere}
	w.set.source = nil
	w.start()
	w.want("all", "127.0.0.1:80", "[::1]:80")
	lines := w.log.lines()
	if len(lines) != 3 || lines[2] != "warning tcp6 [2001:db8::1]:80: not listening on 2001:db8::1 (eth0): it is gone, or not usable yet: listen tcp [2001:db8::1]:80: "+errNotHere.Error() {
		t.Errorf("told %q", lines)
	}
	w.set.close()
	w.want("after close")
	if _, ok := <-w.set.changes; ok {
		t.Error("a change is told")
	}
}

// Nothing at all can be bound: the error has the reason.
func TestNoAddressIsThere(t *testing.T) {
	w := newWorld(t, everywhere(80), eth(2, "eth0", "192.0.2.1"))
	w.kernel.refuse = map[string]error{"192.0.2.1": errNotHere}
	err := w.set.start(context.Background())
	want := "listen tcp [::]:80: no address to listen on: listen tcp 192.0.2.1:80: " + errNotHere.Error()
	if !errors.Is(err, ErrNoAddress) || !errors.Is(err, errNotHere) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
