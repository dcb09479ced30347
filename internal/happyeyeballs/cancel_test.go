package happyeyeballs

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// HE-16: a cancellation at any millisecond is heard within that millisecond and leaves nothing behind.
func TestCancelAtEveryStep(t *testing.T) {
	script := func(w *world) {
		w.dns["ip6"] = reply{after: 100 * ms, addrs: []string{a6, b6}}
		w.dns["ip4"] = reply{after: 30 * ms, addrs: []string{x4}}
		w.host[x4] = peer{drop: true}                                          // from 80 ms
		w.host[a6] = peer{after: 20 * ms, mute: true}                          // from 330 ms, in its handshake from 350 ms
		w.host[b6] = peer{after: 40 * ms, shake: 30 * ms, shakeErr: errBroken} // from 600 ms, fails at 670 ms
	}
	for at := range 800 {
		for _, byDeadline := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				script(w)
				cancelAt := time.Duration(at) * ms
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				want, cfg := context.Canceled, Config{}
				if byDeadline {
					want, cfg.Timeout = context.DeadlineExceeded, max(cancelAt, 1)
				} else {
					time.AfterFunc(cancelAt, cancel)
				}
				_, err := w.dialTo(ctx, w.engine(cfg), w.upgrade)
				if late := w.now() - cancelAt; late > ms || !errors.Is(err, want) {
					t.Errorf("cancelled at %v: %v, %v later", cancelAt, err, late)
				}
				synctest.Wait()
				w.wantOpen()
				if w.flying != 0 {
					t.Errorf("cancelled at %v: %d dials go on", cancelAt, w.flying)
				}
			})
		}
	}
}

// HE-16: the same without a race.
func TestCancelOfALoneAddress(t *testing.T) {
	for at := range 60 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.host[x4] = peer{after: 30 * ms, mute: true}
			ctx, cancel := context.WithTimeout(t.Context(), max(1, time.Duration(at)*ms))
			defer cancel()
			_, err := w.engine(Config{}).DialThrough(ctx, x4, 443, w.upgrade)
			if late := w.now() - time.Duration(at)*ms; late > ms || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("at %d ms: %v, %v later", at, err, late)
			}
			synctest.Wait()
			w.wantOpen()
		})
	}
}

// HE-16: neither a resolver nor a dial that does not heed its context holds up a cancelled race.
func TestDeafPartsDoNotHoldUpACancelledDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"] = reply{after: time.Hour, addrs: []string{a6}, deaf: true}
		w.dns["ip4"] = reply{addrs: []string{x4}}
		w.host[x4] = peer{after: time.Hour, deaf: true}
		_, err := w.dialTo(t.Context(), w.engine(Config{Timeout: time.Second}), nil)
		if !errors.Is(err, context.DeadlineExceeded) || w.now() != time.Second {
			t.Errorf("%v after %v", err, w.now())
		}
		w.settle()
		w.wantOpen()
	})
}

func TestCancelledBeforehand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		cause := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		for _, host := range []string{"host.example", x4} {
			_, err := w.engine(Config{}).Dial(ctx, host, 443)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
				t.Error(err)
			}
		}
		if len(w.asked)+len(w.attempts) != 0 {
			t.Errorf("asked %v, tried %v", w.asked, w.attempts)
		}
	})
}
