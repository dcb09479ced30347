package supervise

import (
	"bytes"
	"io"
	"sync"
	"time"

	"github.com/epctl/endpoint/external/internal/wire"
)

const (
	tailSize    = 4 << 10 // bytes of a program's last words that an error shows
	lineSize    = 1 << 10 // bytes of a line
	linesAtOnce = 100     // lines that are let through at once
	linesPerSec = 20      // and from then on
)

// A Tail takes what a program writes on its standard error. It keeps the end of it, and passes lines on, escaped, short
// and not too many.
type Tail struct {
	name string
	out  io.Writer // nil for nobody
	now  func() time.Time

	mu      sync.Mutex
	end     []byte
	line    []byte
	budget  float64
	refill  time.Time
	dropped int
}

// NewTail makes a tail that passes lines on to out, with the program's name before each.
func NewTail(name string, out io.Writer, now func() time.Time) *Tail {
	return &Tail{name: name, out: out, now: now, budget: linesAtOnce, refill: now()}
}

// Write never fails, and never waits for more than out does.
func (t *Tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(b)
	if t.end = append(t.end, b[max(0, n-tailSize):]...); len(t.end) > tailSize {
		t.end = append(t.end[:0], t.end[len(t.end)-tailSize:]...)
	}
	if t.out != nil {
		t.lines(b)
	}
	return n, nil
}

func (t *Tail) lines(b []byte) {
	for len(b) > 0 {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		t.line = append(t.line, line[:min(len(line), max(0, lineSize+1-len(t.line)))]...)
		if !whole {
			return
		}
		t.pass(string(t.line))
		t.line, b = t.line[:0], rest
	}
}

func (t *Tail) pass(line string) {
	now := t.now()
	t.budget = min(linesAtOnce, t.budget+linesPerSec*now.Sub(t.refill).Seconds())
	t.refill = now
	if t.budget < 1 {
		t.dropped++
		return
	}
	t.budget--
	var b bytes.Buffer
	if t.dropped > 0 {
		b.WriteString(t.name + ": (and " + itoa(t.dropped) + " lines more)\n")
		t.dropped = 0
	}
	b.WriteString(t.name + ": " + wire.Clean(line, lineSize) + "\n")
	_, _ = t.out.Write(b.Bytes())
}

// String is the end of what was written, fit to be shown.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b bytes.Buffer
	for line := range bytes.Lines(bytes.TrimSpace(t.end)) {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(wire.Clean(string(bytes.TrimRight(line, "\r\n")), tailSize))
	}
	return b.String()
}
