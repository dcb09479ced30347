package happyeyeballs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func sequence(format string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(format, i+1)
	}
	return out
}

// HE-12
func TestManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"] = reply{addrs: sequence("2001:db8::%x", 500)}
		w.dns["ip4"] = reply{after: 10 * ms, addrs: sequence("192.0.2.%d", 3)}
		_, err := w.dialTo(t.Context(), w.engine(Config{}), nil)
		var failure *Error
		if !errors.As(err, &failure) || len(failure.Attempts) != MaxAddresses || failure.Untried != 3 {
			t.Fatalf("%v", err)
		}
		w = newWorld(t)
		w.dns["ip6"] = reply{addrs: sequence("2001:db8::%x", 500)}
		w.dns["ip4"] = reply{addrs: sequence("192.0.2.%d", 3)}
		_, err = w.dialTo(t.Context(), w.engine(Config{}), nil)
		if got := w.started(); len(w.attempts) != MaxAddresses || !strings.Contains(got, "192.0.2.3@") {
			t.Errorf("tried %s", got)
		}
		if !errors.As(err, &failure) || failure.Untried != 3 {
			t.Errorf("%v", err)
		}
		want := []string{"500 IPv6 addresses: only the first 64 are used"}
		if got := w.warnings(); !slices.Equal(got, want) {
			t.Errorf("trace warns %q", got)
		}
	})
}

// HE-12
func TestDuplicatesAreTriedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"] = reply{addrs: []string{a6, "::ffff:" + x4, a6}}
		w.dns["ip4"] = reply{addrs: []string{x4, "::ffff:" + x4, x4}}
		if _, err := w.dialTo(t.Context(), w.engine(Config{}), nil); !errors.Is(err, errRefused) {
			t.Error(err)
		}
		w.wantStarted(a6 + "@0s " + x4 + "@0s")
	})
}

// HE-12: no more than eight under way; the oldest makes room once it has had two seconds.
func TestEightInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v6 := sequence("2001:db8::%x", 12)
		w.dns["ip6"] = reply{addrs: v6}
		for _, a := range v6 {
			w.host[a] = peer{drop: true}
		}
		w.host[v6[11]] = peer{after: 10 * ms}
		got, err := w.dialTo(t.Context(), w.engine(Config{AttemptDelay: 100 * ms}), nil)
		if got != v6[11] || w.most != MaxInFlight {
			t.Errorf("got %s, %v with %d in flight", got, err, w.most)
		}
		want := []time.Duration{0, 100, 200, 300, 400, 500, 600, 700, 2000, 2100, 2200, 2300}
		for i, s := range w.attempts {
			if s.at != want[i]*ms {
				t.Errorf("attempt %d at %v, want %v", i, s.at, want[i]*ms)
			}
		}
	})
}

// HE-12: an attempt that has connected and shakes hands does not make room before one that has heard nothing.
func TestHandshakesKeepTheirSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v6 := sequence("2001:db8::%x", 12)
		w.dns["ip6"] = reply{addrs: v6}
		for _, a := range v6 {
			w.host[a] = peer{drop: true}
		}
		w.host[v6[0]] = peer{after: 10 * ms, shake: 4 * time.Second}
		got, err := w.dialTo(t.Context(), w.engine(Config{AttemptDelay: 100 * ms}), w.upgrade)
		if got != v6[0] || w.now() != 4010*ms || len(w.attempts) != len(v6) {
			t.Errorf("got %s, %v after %v by %s", got, err, w.now(), w.started())
		}
	})
}

// HE-12: a slot that a failure frees is used at once, and an attempt that connects while it is given up has won.
func TestSlotsAreReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v6 := sequence("2001:db8::%x", 10)
		w.dns["ip6"] = reply{addrs: v6}
		for _, a := range v6 {
			w.host[a] = peer{drop: true}
		}
		w.host[v6[3]] = peer{after: 1200 * ms, err: errRefused} // fails at 1.5 s
		w.host[v6[0]] = peer{after: 2100 * ms, deaf: true}      // given up at 2 s, connects all the same
		got, err := w.dialTo(t.Context(), w.engine(Config{AttemptDelay: 100 * ms}), nil)
		if got != v6[0] || w.now() != 2100*ms || w.most != MaxInFlight {
			t.Errorf("got %s, %v after %v with %d in flight", got, err, w.now(), w.most)
		}
		if n := len(w.attempts); n != 9 || w.attempts[8].at != 1500*ms {
			t.Errorf("tried %s", w.started())
		}
	})
}
