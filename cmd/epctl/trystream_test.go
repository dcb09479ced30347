package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// halfPipe is one way of a connection: what is written, and the end behind it.
type halfPipe struct {
	net.Conn // nil: nothing else is used
	io.Reader
}

func (h halfPipe) Read(p []byte) (int, error) { return h.Reader.Read(p) }

func TestReceiveComparesEveryByteAndTheEnd(t *testing.T) {
	want := pattern(1)
	wrong := append([]byte(nil), want...)
	wrong[trySize-1] ^= 1
	for _, test := range []struct {
		name   string
		stream string
		half   bool // the sender has closed its side
		err    string
	}{
		{"all, and the end", string(want), true, ""},
		{"all, without an end", string(want) + "more", false, ""},
		{"the last byte is wrong", string(wrong), true, "other bytes came than were sent"},
		{"too few", string(want[:100]), true, "after 100 of 1048576 bytes: EOF"},
		{"too many", string(want) + "x", true, "more bytes came than were sent"},
		{"of another direction", string(pattern(2)), true, "other bytes came than were sent"},
	} {
		t.Run(test.name, func(t *testing.T) {
			sent := make(chan sending, 1)
			sent <- sending{half: test.half}
			half, err := receive(halfPipe{Reader: strings.NewReader(test.stream)}, want, sent)
			if test.err == "" && (err != nil || half != test.half) {
				t.Errorf("%v, %v", half, err)
			}
			if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestReceiveTellsThatTheSenderFailed(t *testing.T) {
	broken := errors.New("broken")
	sent := make(chan sending, 1)
	sent <- sending{err: broken}
	want := pattern(1)
	if _, err := receive(halfPipe{Reader: strings.NewReader(string(want))}, want, sent); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
}

// timeouts is the error of a read after its deadline.
type timeouts struct{ error }

func (timeouts) Timeout() bool   { return true }
func (timeouts) Temporary() bool { return true }

// lossy is a network that loses and doubles datagrams.
type lossy struct {
	random *rand.Rand
	queue  [][]byte
}

func (l *lossy) send(p []byte) error {
	for range l.random.IntN(3) {
		l.queue = append(l.queue, append([]byte(nil), p...))
	}
	return nil
}

func (l *lossy) read(p []byte) (int, error) {
	if len(l.queue) == 0 {
		return 0, timeouts{errors.New("i/o timeout")}
	}
	n := copy(p, l.queue[0])
	l.queue = l.queue[1:]
	return n, nil
}

func TestDeliverSendsAgainWhatIsLost(t *testing.T) {
	network := &lossy{random: rand.New(rand.NewPCG(1, 2))}
	for i := range 100 {
		err := deliver(t.Context(), payload(1, i%tryDatagrams), network.send, func(time.Time) error { return nil }, network.read)
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeliverGivesUpWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("late")
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, why)
		defer cancel()
		var deadline time.Time
		err := deliver(ctx, payload(1, 1), func([]byte) error { return nil }, func(d time.Time) error { deadline = d; return nil },
			func([]byte) (int, error) {
				time.Sleep(time.Until(deadline))
				return 0, timeouts{errors.New("i/o timeout")}
			})
		if !errors.Is(err, why) {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestPayloadsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for direction := byte(1); direction <= 2; direction++ {
		for i := range tryDatagrams {
			p := payload(direction, i)
			if seen[string(p)] || len(p) > 1232 { // what IPv6 carries without fragments
				t.Errorf("direction %d, %d: %d bytes", direction, i, len(p))
			}
			seen[string(p)] = true
		}
	}
}
