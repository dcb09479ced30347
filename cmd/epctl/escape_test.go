package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
)

// ST-22
func TestPrintableIsOneLineThatATerminalDoesNotObey(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{"grüße 世界", "grüße 世界"},
		{"a\r\nb\tc\x00", `a\r\nb\tc\x00`},
		{"\x1b[31mred\a", `\x1b[31mred\a`},
		{"\x9b31m", `\x9b31m`},
		{"\u009b31m", `\u009b31m`},
		{"a\u202eb\u2028", `a\u202eb\u2028`},
		{"\xff\ufffd", `\xff�`},
		{`back\slash "quote"`, `back\slash "quote"`},
	} {
		if got := printable(test.in); got != test.want {
			t.Errorf("printable(%q) = %q, not %q", test.in, got, test.want)
		}
	}
}

func TestEscaperKeepsLines(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"one\ntwo\n", "one\ntwo\n"},
		{"one\r\ntwo\tx", "one\ntwo\tx"},
		{"one\rtwo", `one\rtwo`},
		{"one\r", `one\r`},
		{"\r\r\n", "\\r\n"},
		{"\x1b]0;title\a", `\x1b]0;title\a`},
		{"世界\xe4\xb8", "世界" + `\xe4\xb8`},
	} {
		for name, reader := range map[string]io.Reader{
			"whole": strings.NewReader(test.in), "a byte at a time": iotest.OneByteReader(strings.NewReader(test.in)),
		} {
			var out bytes.Buffer
			e := &escaper{w: &out}
			if err := pump(e, reader); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			if out.String() != test.want {
				t.Errorf("%s: %q is shown as %q, not %q", name, test.in, out.String(), test.want)
			}
		}
	}
}

func FuzzNothingThatATerminalObeysGetsThrough(f *testing.F) {
	f.Add([]byte("\x1b[31m\r\n\xe4\xb8\x80\x9b"), 3)
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		var out bytes.Buffer
		e := &escaper{w: &out}
		cut = max(0, min(cut, len(p)))
		_, _ = e.Write(p[:cut]) // to memory
		_, _ = e.Write(p[cut:])
		_ = e.Close()
		for _, r := range out.String() {
			if r != '\n' && r != '\t' && !unicode.IsGraphic(r) {
				t.Fatalf("%q gets through as %q", p, out.String())
			}
		}
	})
}
