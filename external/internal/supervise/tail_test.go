package supervise

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// PL-16
func TestATailPassesOnWhatCanBeReadAndNoMore(t *testing.T) {
	now := time.Unix(0, 0)
	var out bytes.Buffer
	tail := NewTail("plugin", &out, func() time.Time { return now })
	fmt.Fprint(tail, "one\ntwo \x1b[31m", "red\n", strings.Repeat("x", 100_000), "\n")
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 4 || lines[0] != "plugin: one" || lines[1] != `plugin: two \x1b[31mred` || len(lines[2]) > lineSize+20 {
		t.Errorf("%.200q", lines)
	}
	out.Reset()
	for range 100_000 {
		fmt.Fprintln(tail, "spam")
	}
	if n := strings.Count(out.String(), "\n"); n > linesAtOnce {
		t.Errorf("%d lines at once", n)
	}
	out.Reset()
	now = now.Add(time.Second)
	for range 1000 {
		fmt.Fprintln(tail, "spam")
	}
	if n := strings.Count(out.String(), "spam"); n != linesPerSec || !strings.HasPrefix(out.String(), "plugin: (and ") {
		t.Errorf("%d lines in a second: %.200s", n, out.String())
	}
}

// PL-08
func TestATailKeepsTheEnd(t *testing.T) {
	tail := NewTail("plugin", nil, time.Now)
	for i := range 10_000 {
		fmt.Fprintln(tail, "line", i)
	}
	fmt.Fprint(tail, "\x07the end\r\n")
	got := tail.String()
	if len(got) > tailSize+100 || !strings.HasSuffix(got, "line 9999\n"+`\athe end`) {
		t.Errorf("%d bytes: …%q", len(got), got[max(0, len(got)-60):])
	}
	if _, err := tail.Write(bytes.Repeat([]byte{0xff}, 1<<20)); err != nil || !strings.HasPrefix(tail.String(), `\ufffd`) {
		t.Errorf("%.60q", tail.String())
	}
}

// PL-10
func TestBackoff(t *testing.T) {
	now := time.Unix(0, 0)
	var b Backoff
	if b.Wait(now) != 0 || b.Disabled() {
		t.Error("before any crash")
	}
	for i, want := range []time.Duration{100, 200, 400, 800, 1600} {
		b.Crashed(now)
		if got := b.Wait(now); got != want*time.Millisecond || b.Disabled() {
			t.Errorf("after %d crashes: %v, disabled %v", i+1, got, b.Disabled())
		}
		now = now.Add(b.Wait(now))
	}
	b.Crashed(now)
	if !b.Disabled() {
		t.Error("six crashes in a minute are allowed")
	}

	b = Backoff{}
	for range 100 {
		b.Crashed(now)
		if wait := b.Wait(now); wait > 30*time.Second || b.Disabled() {
			t.Fatalf("a crash each quarter of a minute: %v, disabled %v", wait, b.Disabled())
		}
		now = now.Add(15 * time.Second)
	}
	if got := b.Wait(now.Add(-15 * time.Second)); got != longestWait {
		t.Errorf("it is %v in the end", got)
	}
	now = now.Add(time.Minute)
	b.Crashed(now)
	if got := b.Wait(now); got != firstDelay {
		t.Errorf("after a quiet minute: %v", got)
	}
}
