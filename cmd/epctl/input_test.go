package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRecords(t *testing.T) {
	long := strings.Repeat("x", 100<<10)
	for _, test := range []struct {
		name, in  string
		separator byte
		want      []string
	}{
		{"none", "", '\n', nil},
		{"lines", "a\nb\n", '\n', []string{"a", "b"}},
		{"the last without an end", "a\nb", '\n', []string{"a", "b"}},
		{"empty ones", "\n\na\n\n", '\n', []string{"", "", "a", ""}},
		{"of Windows", "a\r\nb\r\n\r\n", '\n', []string{"a", "b", ""}},
		{"a carriage return elsewhere stays", "a\rb\n", '\n', []string{"a\rb"}},
		{"NUL", "a\nb\x00c\r\x00", 0, []string{"a\nb", "c\r"}},
		{"longer than the buffer", long + "\nb\n", '\n', []string{long, "b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for in := newRecords(iotest.HalfReader(strings.NewReader(test.in)), test.separator); ; {
				s, err := in.next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, s)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %.60q", got)
			}
		})
	}
}

// PA-01: what is far too long is not held in memory, and the next string is read all the same.
func TestRecordsCutWhatIsFarTooLong(t *testing.T) {
	in := newRecords(io.MultiReader(io.LimitReader(xs{}, 10<<20), strings.NewReader("\nnext\n")), '\n')
	first, err := in.next()
	if err != nil || len(first) != maxRecord+1 {
		t.Errorf("%d bytes, %v", len(first), err)
	}
	if next, err := in.next(); next != "next" {
		t.Errorf("then %.20q, %v", next, err)
	}
}

type xs struct{}

func (xs) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestTextsKnowTheirLines(t *testing.T) {
	a := &app{stdin: strings.NewReader("c\nd")}
	var got []text
	for s, err := range a.texts([]string{"a", "-", "b"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	want := []text{{"a", 0, false}, {"c", 1, true}, {"d", 2, true}, {"b", 0, false}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestTextsTellWhatFails(t *testing.T) {
	broken := errors.New("broken")
	a := &app{stdin: io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(broken))}
	in, failure := batches(a.texts([]string{"-", "b"}), batchTexts)
	var got []text
	for batch := range in {
		got = append(got, batch...)
	}
	if len(got) != 1 || !errors.Is(failure(), broken) {
		t.Errorf("got %v, then %v", got, failure())
	}
}
