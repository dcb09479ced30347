package happyeyeballs

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var (
	errBroken = errors.New("handshake broken")
	errBadCA  = errors.New("certificate signed by unknown authority")
)

// HE-08: an address wins by its handshake, and progress puts the next attempt off.
func TestHandshakeDecides(t *testing.T) {
	tests := []struct {
		name    string
		ip6     []string
		host    map[string]peer
		cfg     Config
		won     string
		after   time.Duration
		started string
	}{
		{
			name: "accepts and hangs: loses", ip6: []string{a6},
			host: map[string]peer{a6: {after: 10 * ms, mute: true}, x4: {after: 10 * ms, shake: 20 * ms}},
			won:  x4, after: 290 * ms, started: a6 + "@0s " + x4 + "@260ms",
		}, {
			name: "handshake fails: the next at once", ip6: []string{a6},
			host: map[string]peer{a6: {after: 10 * ms, shake: 30 * ms, shakeErr: errBroken}, x4: {}},
			won:  x4, after: 40 * ms, started: a6 + "@0s " + x4 + "@40ms",
		}, {
			name: "a slow handshake has the time of three round trips", ip6: []string{a6},
			host: map[string]peer{a6: {after: 200 * ms, shake: 599 * ms}, x4: {}},
			won:  a6, after: 799 * ms, started: a6 + "@0s",
		}, {
			name: "and no more", ip6: []string{a6},
			host: map[string]peer{a6: {after: 200 * ms, shake: 601 * ms}, x4: {after: time.Hour}},
			won:  a6, after: 801 * ms, started: a6 + "@0s " + x4 + "@800ms",
		}, {
			name: "never later than two seconds after the last start", ip6: []string{a6}, cfg: Config{AttemptDelay: 1500 * ms},
			host: map[string]peer{a6: {after: 1400 * ms, mute: true}, x4: {after: 10 * ms}},
			won:  x4, after: 2010 * ms, started: a6 + "@0s " + x4 + "@2s",
		}, {
			name: "the delay is put off only once", ip6: []string{a6, b6},
			host: map[string]peer{a6: {after: 260 * ms, mute: true}, x4: {after: 500 * ms, mute: true}, b6: {}},
			// a6 connects at 260 ms, which puts 500 ms off to 260+780; x4 at 750 ms changes nothing.
			won: b6, after: 1040 * ms, started: a6 + "@0s " + x4 + "@250ms " + b6 + "@1.04s",
		}, {
			name: "but once for each start", ip6: []string{a6, b6},
			host: map[string]peer{a6: {after: 240 * ms, mute: true}, x4: {after: 200 * ms, mute: true}, b6: {}},
			won:  b6, after: 1760 * ms, started: a6 + "@0s " + x4 + "@960ms " + b6 + "@1.76s",
		}, {
			name: "a handshake that is faster than an older one wins", ip6: []string{a6},
			host: map[string]peer{a6: {after: 240 * ms, shake: 5 * time.Second}, x4: {after: 10 * ms, shake: 10 * ms}},
			won:  x4, after: 980 * ms, started: a6 + "@0s " + x4 + "@960ms",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.dns["ip6"], w.dns["ip4"], w.host = reply{addrs: tt.ip6}, reply{addrs: []string{x4}}, tt.host
				conn, err := w.engine(tt.cfg).DialThrough(t.Context(), "host.example", 443, w.upgrade)
				if err != nil {
					t.Fatal(err)
				}
				if _, ok := conn.(upgraded); !ok || remote(conn) != tt.won || w.now() != tt.after {
					t.Errorf("got %T to %s after %v; want %s after %v", conn, remote(conn), w.now(), tt.won, tt.after)
				}
				w.wantStarted(tt.started)
				synctest.Wait()
				w.wantOpen(tt.won)
			})
		})
	}
}

// HE-09: a terminal error ends its address only; it is told where the rest fails, too.
func TestTerminalErrorEndsItsAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"], w.dns["ip4"] = reply{addrs: []string{a6}}, reply{addrs: []string{x4}}
		w.host[a6], w.host[x4] = peer{shake: 20 * ms, shakeErr: Terminal(errBadCA)}, peer{shake: 20 * ms}
		if got, err := w.dialTo(t.Context(), w.engine(Config{}), w.upgrade); got != x4 || w.now() != 40*ms {
			t.Errorf("got %s, %v after %v", got, err, w.now())
		}
		w.host[x4] = peer{shake: 20 * ms, shakeErr: errBroken}
		_, err := w.dialTo(t.Context(), w.engine(Config{}), w.upgrade)
		var failure *Error
		if !errors.As(err, &failure) || !errors.Is(err, errBadCA) || !errors.Is(err, errBroken) {
			t.Fatal(err)
		}
		first, second := failure.Attempts[0], failure.Attempts[1]
		if !first.Terminal || second.Terminal || first.Stage != StageHandshake || first.Addr.Addr().String() != a6 {
			t.Errorf("attempts %+v", failure.Attempts)
		}
		w.wantOpen(x4) // of the first dial
	})
}

type certificateError struct{ error }

func (certificateError) Terminal() bool  { return true }
func (e certificateError) Unwrap() error { return e.error }

// HE-09: by option it ends the dial. The caller's own type marks it.
func TestTerminalErrorEndsTheDialByOption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"], w.dns["ip4"] = reply{addrs: []string{a6}}, reply{addrs: []string{x4}}
		w.host[a6] = peer{shake: 20 * ms, shakeErr: certificateError{errBadCA}}
		w.host[x4] = peer{}
		_, err := w.dialTo(t.Context(), w.engine(Config{TerminalEnds: true}), w.upgrade)
		if !errors.Is(err, errBadCA) || len(w.attempts) != 1 || w.now() != 20*ms {
			t.Errorf("%v after %v, tried %s", err, w.now(), w.started())
		}
		w.host[x4], w.host[a6] = w.host[a6], peer{drop: true} // the other attempt is under way: it has to end
		_, err = w.dialTo(t.Context(), w.engine(Config{TerminalEnds: true}), w.upgrade)
		if !errors.Is(err, errBadCA) || w.flying != 0 {
			t.Errorf("%v, %d dials go on", err, w.flying)
		}
		w.wantOpen()
	})
}

func TestTerminalIsSeenThrough(t *testing.T) {
	if Terminal(nil) != nil {
		t.Error("no error became one")
	}
	if err := Terminal(errBadCA); !errors.Is(err, errBadCA) || err.Error() != errBadCA.Error() {
		t.Error(err)
	}
}

// HE-08: an upgrade that succeeds although its time is over has lost.
func TestUpgradeThatEndsTooLate(t *testing.T) {
	for _, host := range []string{"host.example", x4} { // in a race, and alone
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.dns["ip6"], w.dns["ip4"] = reply{addrs: []string{a6}}, reply{addrs: []string{x4}}
			w.host[a6], w.host[x4] = peer{}, peer{}
			deaf := func(_ context.Context, conn net.Conn) (net.Conn, error) {
				<-time.After(time.Minute)
				return upgraded{conn.(*fakeConn)}, nil
			}
			conn, err := w.engine(Config{Timeout: time.Second}).DialThrough(t.Context(), host, 443, deaf)
			if conn != nil || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", host, err)
			}
			w.settle()
			w.wantOpen()
		})
	}
}

// HE-08: the raw connection of a handshake that failed is closed, also when there is no race.
func TestFailedUpgradeClosesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.host[x4] = peer{shakeErr: errBroken}
		_, err := w.engine(Config{}).DialThrough(t.Context(), x4, 443, w.upgrade)
		if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "handshake failed") {
			t.Error(err)
		}
		w.wantOpen()
	})
}
