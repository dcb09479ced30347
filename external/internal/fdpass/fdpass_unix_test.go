//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package fdpass

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines are the two ends of a line that both receive.
func lines(t *testing.T) (a, b *Conn) {
	t.Helper()
	a, file, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	b, err = New(file)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = a.Run() })
	running.Go(func() { _ = b.Run() })
	t.Cleanup(func() {
		a.Close()
		b.Close()
		running.Wait()
	})
	return a, b
}

// raw is the end of a line that the test itself writes to, against one that receives.
func raw(t *testing.T) (int, *Conn, <-chan error) {
	t.Helper()
	ours, file, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- ours.Run() }()
	t.Cleanup(func() {
		ours.Close()
		file.Close()
	})
	return int(file.Fd()), ours, ended
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func null(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestManyDescriptorsArriveUnderTheirNumbers(t *testing.T) {
	a, b := lines(t)
	const many = 50
	var all sync.WaitGroup
	for i := range many {
		name := t.TempDir() + "/f"
		if err := os.WriteFile(name, []byte{byte(i)}, 0o600); err != nil {
			t.Fatal(err)
		}
		ticket := a.Expect(uint64(i))
		all.Go(func() {
			f, err := os.Open(name)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if err := b.Send(uint64(i), f); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			defer ticket.Close()
			f, err := ticket.File(within(t))
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			text := make([]byte, 2)
			if n, _ := f.Read(text); n != 1 || text[0] != byte(i) {
				t.Errorf("under %d came %v", i, text[:n])
			}
		})
	}
	all.Wait()
}

// A descriptor that nobody takes is closed, and its sender told.
func TestWhatNobodyTakesIsClosed(t *testing.T) {
	for what, take := range map[string]func(a *Conn, sent func()){
		"unasked":  func(_ *Conn, sent func()) { sent() },
		"given up": func(a *Conn, sent func()) { a.Expect(7).Close(); sent() },
		"too late": func(a *Conn, sent func()) {
			ticket := a.Expect(7)
			sent()
			for len(ticket.file) == 0 {
				time.Sleep(time.Millisecond)
			}
			ticket.Close()
		},
	} {
		a, b := lines(t)
		closed := b.Relay(7)
		ours, theirs := net.Pipe()
		ours.Close()
		theirs.Close()
		take(a, func() {
			if err := b.Send(7, null(t)); err != nil {
				t.Error(err)
			}
		})
		select {
		case <-closed:
		case <-within(t).Done():
			t.Errorf("%s: the sender does not know", what)
		}
	}
}

func TestAnEndIsToldOnceWithItsReason(t *testing.T) {
	a, b := lines(t)
	well, badly := a.Expect(1), a.Expect(2)
	long := strings.Repeat("x", 5000)
	if err := errors.Join(b.End(1, ""), b.End(2, long)); err != nil {
		t.Fatal(err)
	}
	<-well.Ended()
	<-badly.Ended()
	if well.Why() != "" || badly.Why() != long[:maxText] {
		t.Errorf("%q, %d bytes", well.Why(), len(badly.Why()))
	}
}

// PL-12: what breaks the rules breaks the line, and leaves no descriptor open.
func TestAMessageThatBreaksTheRulesBreaksTheLine(t *testing.T) {
	good := message{kind: kindDescriptor, id: 1}.marshal()
	end := message{kind: kindEnd, id: 1}.marshal()
	change := func(i int, b byte) []byte {
		changed := append([]byte(nil), good...)
		changed[i] = b
		return changed
	}
	for what, tc := range map[string]struct {
		text        []byte
		descriptors int
	}{
		"no descriptor":     {good, 0},
		"two descriptors":   {good, 2},
		"very many":         {good, 250},
		"end with one":      {end, 1},
		"short":             {good[:15], 1},
		"long":              {append(append([]byte(nil), end...), make([]byte, maxText+1)...), 0},
		"version":           {change(0, 2), 1},
		"kind":              {change(1, 9), 1},
		"reserved":          {change(5, 1), 1},
		"text":              {append(append([]byte(nil), good...), 'x'), 1},
		"one byte, nothing": {[]byte{0}, 0},
	} {
		fd, a, ended := raw(t)
		ticket := a.Expect(1)
		before := count(t)
		fds := make([]int, tc.descriptors)
		for i := range fds {
			fds[i] = int(null(t).Fd())
		}
		opened := len(fds)
		if err := unix.Sendmsg(fd, tc.text, unix.UnixRights(fds...), nil, 0); err != nil {
			t.Fatal(what, err)
		}
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%s: no error", what)
			}
		case <-within(t).Done():
			t.Errorf("%s: the line goes on", what)
		}
		if _, err := ticket.File(within(t)); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
		if after := count(t); after > before+opened-1 {
			t.Errorf("%s: there were %d descriptors, there are %d", what, before+opened, after)
		}
	}
}

func TestASecondDescriptorOrEndBreaksTheLine(t *testing.T) {
	for what, twice := range map[string]func(b *Conn) error{
		"descriptor": func(b *Conn) error { return b.Send(1, null(t)) },
		"end":        func(b *Conn) error { return b.End(1, "") },
	} {
		a, b := lines(t)
		a.Expect(1)
		_ = twice(b)
		_ = twice(b)
		select {
		case <-a.Done():
		case <-within(t).Done():
			t.Errorf("%s: the line goes on", what)
		}
	}
}

func TestAWaitEndsWithTheLineOrTheContext(t *testing.T) {
	a, b := lines(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Expect(1).File(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	b.Close()
	if _, err := a.Expect(2).File(within(t)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := a.End(1, ""); err == nil {
		t.Error("a message went into a closed line")
	}
	a.Close()
	a.Close()
}

func count(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func FuzzMessages(f *testing.F) {
	f.Add(message{kind: kindDescriptor, id: 1}.marshal(), 1)
	f.Add(message{kind: kindEnd, id: 1 << 60, text: "why"}.marshal(), 0)
	f.Fuzz(func(t *testing.T, b []byte, descriptors int) {
		m, err := parse(b, descriptors)
		if err == nil && string(m.marshal()) != string(b) {
			t.Errorf("%x was read as %x", b, m.marshal())
		}
	})
}
