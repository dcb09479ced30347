package main

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
	"sync"

	"github.com/epctl/endpoint/cmd/epctl/internal/terminal"
)

// An output is stdout or stderr. Any goroutine may write to it.
type output struct {
	file io.Writer
	mu   sync.Mutex
	style
	terminal bool
	width    int // columns that text may take
}

const (
	usualWidth = 80
	mostWidth  = 120 // longer lines are hard to read
)

func newOutput(w io.Writer, env func(string) string) *output {
	o := &output{file: w, width: usualWidth}
	if f, ok := w.(*os.File); ok {
		var columns int
		if columns, o.terminal = terminal.Width(f); o.terminal {
			o.width = columns
		}
	}
	if columns, err := strconv.Atoi(env("COLUMNS")); err == nil && columns > 0 {
		o.width = columns
	}
	o.width = min(o.width, mostWidth)
	o.style.on = o.terminal && env("NO_COLOR") == "" && env("TERM") != "dumb"
	return o
}

// Write writes p at once.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.file.Write(p)
}

// print writes text at once.
func (o *output) print(text string) error {
	_, err := io.WriteString(o, text)
	return err
}

// json writes v as one line, or indented on a terminal.
func (o *output) json(v any) error {
	e := newJSON(o)
	if o.terminal {
		e.SetIndent("", "  ")
	}
	return e.Encode(v)
}

// newJSON leaves <, > and & as they are, which are no danger outside of HTML.
func newJSON(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}

// sameFile reports whether both outputs go to one place, so that the order between them matters.
func sameFile(a, b *output) bool {
	f, ok1 := a.file.(*os.File)
	g, ok2 := b.file.(*os.File)
	if !ok1 || !ok2 {
		return a.file == b.file
	}
	i, err1 := f.Stat()
	j, err2 := g.Stat()
	return err1 == nil && err2 == nil && os.SameFile(i, j)
}
