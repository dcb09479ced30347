package grammar_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/epctl/endpoint/grammar"
)

func TestCaretPutsTheMessageBesideOrBelowTheMarks(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  grammar.Error
		want string
	}{
		{"beside", grammar.Error{Input: "tcp:80", Start: 4, End: 6, Message: "m"},
			"tcp:80\n    ^^ m"},
		{"with a fix", grammar.Error{Input: "tcp:80", Start: 4, End: 6, Message: "m", Fix: "81"},
			"tcp:80\n    ^^ m\nfix: 81"},
		{"with further places on both sides", grammar.Error{Input: "a:b:c", Start: 2, End: 3, Message: "m", Also: []grammar.Span{{Start: 0, End: 1}, {Start: 4, End: 5}}},
			"a:b:c\n~ ^ ~ m"},
		{"the place covers a further one", grammar.Error{Input: "abc", Start: 0, End: 2, Message: "m", Also: []grammar.Span{{Start: 0, End: 3}}},
			"abc\n^^~ m"},
		{"something is missing", grammar.Error{Input: "tcp", Start: 3, End: 3, Message: "m"},
			"tcp\n   ^ m"},
		{"nothing at all", grammar.Error{}, "\n^ "},
		{"80 columns fit", grammar.Error{Input: "tcp", Start: 0, End: 3, Message: strings.Repeat("m", 76)},
			"tcp\n^^^ " + strings.Repeat("m", 76)},
		{"81 columns do not", grammar.Error{Input: "tcp", Start: 0, End: 3, Message: strings.Repeat("m", 77)},
			"tcp\n^^^\n" + strings.Repeat("m", 77)},
		{"wide characters count twice", grammar.Error{Input: "tcp", Start: 0, End: 3, Message: strings.Repeat("語", 39)},
			"tcp\n^^^\n" + strings.Repeat("語", 39)},
		{"what a terminal obeys", grammar.Error{Input: "a\x1b[2Jb", Start: 1, End: 2, Message: "m\x1b]0;t\a\n\u202e", Fix: "\x9b\xff\r"},
			"a\ufffd[2Jb\n ^ m\ufffd]0;t\ufffd\ufffd\ufffd\nfix: \ufffd\ufffd\ufffd"},
		{"no-break and ideographic space, soft hyphen, joiner", grammar.Error{Input: "\u00a0\u3000\u00ad\u200dx", Start: 10, End: 11, Message: "m"},
			"\ufffd\ufffd\ufffd\ufffdx\n    ^ m"},
		{"kana, Hangul, full width", grammar.Error{Input: "かカ한Ａ!", Start: 12, End: 13, Message: "m"},
			"かカ한Ａ!\n        ^ m"},
		{"half width", grammar.Error{Input: "ｶﾅ!", Start: 6, End: 7, Message: "m"},
			"ｶﾅ!\n  ^ m"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.err.Caret(); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestCaretOfALongInputIsShort(t *testing.T) {
	for name, piece := range map[string]string{
		"letters": "x", "wide": "語", "pictures": "😀", "combining": "e\u0301", "control": "\x1b", "invalid": "\xff", "broken": "\xf0\x9f",
	} {
		in := strings.Repeat(piece, 1<<20/len(piece))
		for _, start := range []int{0, 1, 2, 3, 39, 79, 80, len(in) / 2, len(in)/2 + 1, len(in) - 80, len(in) - 2, len(in)} {
			for _, length := range []int{0, 1, 5, 100, len(in)} {
				e := grammar.Error{Input: in, Start: start, End: min(start+length, len(in)), Message: "m",
					Also: []grammar.Span{{Start: 0, End: len(in)}, {Start: len(in) / 3, End: len(in) / 2}}}
				checkDrawing(t, name, &e)
			}
		}
	}
}

func TestCaretBehindTheEndFitsTheLine(t *testing.T) {
	for n := 70; n < 90; n++ {
		checkDrawing(t, "text", &grammar.Error{Input: strings.Repeat("x", n), Start: n, End: n, Message: "m"})
	}
}

func checkDrawing(t *testing.T, name string, e *grammar.Error) {
	t.Helper()
	drawing := e.Caret()
	lines := strings.Split(drawing, "\n")
	for _, line := range lines[:2] {
		if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\u0301", "")); n > 80 {
			t.Errorf("%s at %d to %d: a line of %d characters: %s", name, e.Start, e.End, n, line)
		}
	}
	if !strings.Contains(lines[1], "^") {
		t.Errorf("%s at %d to %d: no caret in %q", name, e.Start, e.End, lines[1])
	}
	if len(e.Error()) > 500 {
		t.Errorf("%s at %d to %d: a text of %d bytes", name, e.Start, e.End, len(e.Error()))
	}
	checkTerminalSafe(t, drawing)
	checkTerminalSafe(t, e.Error())
}

func TestAWindowShowsThePlace(t *testing.T) {
	const width = 10_000
	for at := 0; at < width; at += 37 {
		in := strings.Repeat("x", at) + "HERE" + strings.Repeat("x", width-at)
		e := grammar.Error{Input: in, Start: at, End: at + 4, Message: "m"}
		text, marks, _ := strings.Cut(e.Caret(), "\n")
		column := strings.Index(marks, "^^^^")
		if got := string([]rune(text)[column : column+4]); got != "HERE" {
			t.Fatalf("the caret for byte %d is below %q in %q", at, got, text)
		}
		if !strings.Contains(e.Error(), "HERE") {
			t.Fatalf("byte %d is not in %q", at, e.Error())
		}
	}
}

func TestErrorTextsAreSafeForTerminals(t *testing.T) { // ST-22
	r := rand.New(rand.NewPCG(9, 10))
	hostile := []rune{0, 7, 8, '\n', '\r', 0x1b, 0x7f, 0x80, 0x9b, 0x9d, 0x2028, 0x2029, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069, 0x61c, 0xfeff, 0xad}
	for range 2000 {
		in := []byte(randomInput(r, 1+r.IntN(30)))
		for range 1 + r.IntN(4) {
			at := r.IntN(len(in) + 1)
			in = append(in[:at:at], append([]byte(string(hostile[r.IntN(len(hostile))])), in[at:]...)...)
		}
		_, err := grammar.Parse(string(in))
		for _, e := range grammar.All(err) {
			e.Message, e.Fix = e.Message+string(in), e.Fix+string(in) // as a plugin might
			if bad := unsafeForTerminal(e.Caret() + e.Error()); bad != "" {
				t.Fatalf("%s comes out of %q", bad, in)
			}
		}
	}
}
