package supervise

import (
	"os"
	"strings"
	"testing"
	"time"
)

// PL-18: a process is signalled only while its number is its own, and there is no way to attach to one that was not
// started here.
func TestAProcessThatHasEndedIsNotSignalled(t *testing.T) {
	p := newProcess(Command{Path: "/bin/sh", Name: "sh", Tail: NewTail("sh", nil, time.Now)}, []string{"A=b"})
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A shell whose standard input is empty ends at once.
	if err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	reaped := p.reaped
	p.mu.Unlock()
	if !reaped {
		t.Error("nobody has waited for it")
	}
	if err := p.Kill(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAProcessThatIsKilledBeforeItStartsDoesNot(t *testing.T) {
	p := newProcess(Command{Path: "/bin/sh", Name: "sh", Tail: NewTail("sh", nil, time.Now)}, nil)
	p.kill()
	if err := p.Start(t.Context()); err == nil {
		t.Error("it was started")
	}
	if p.ID() != "" {
		t.Errorf("it is %s", p.ID())
	}
}

// PL-08
func TestAHandshakeIsOneShortLine(t *testing.T) {
	for text, want := range map[string]string{
		"1|1|unix|/x|grpc|abc\nmore\n": "",
		"1|2|unix|/x|grpc|abc\n":       "it speaks version 2 of the plugin interface, and this program speaks versions 1 to 3",
		"1|x|unix|/x|grpc|\n":          `its version "x" is no number`,
		"1|1|unix|/x|netrpc|\n":        `it speaks "netrpc", not grpc`,
		"\x1b\n":                       `it says "\\x1b", and not what a plugin says first`,
		strings.Repeat("x", 70_000):    "what it says first is longer than 8192 bytes",
		"":                             "",
	} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = w.WriteString(text)
			_ = w.Close()
		}()
		h := &handshake{pipe: r}
		for buf := make([]byte, 4096); err == nil; {
			_, err = h.Read(buf)
		}
		versions := []int{1}
		if strings.HasPrefix(want, "it speaks version 2") {
			versions = []int{1, 3}
		}
		if got := h.problem(versions); got != want {
			t.Errorf("%.40q: %q; want %q", text, got, want)
		}
		_ = h.Close()
	}
}
