package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTableWrapsTheLastColumn(t *testing.T) {
	rows := table{indent: "  "}
	rows.add(cell{text: "port"}, cell{text: "8080"}, cell{text: "where it listens, which may be any number up to 65535"})
	rows.add(cell{text: "interface"}, cell{text: ""}, cell{text: ""})
	rows.below("    below\n")
	want := "" +
		"  port       8080  where it listens, which\n" +
		"                   may be any number up to\n" +
		"                   65535\n" +
		"  interface\n" +
		"    below\n"
	if got := rows.text(43); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTablePutsTheLastColumnBelowWhereItIsTooNarrow(t *testing.T) {
	rows := table{}
	rows.add(cell{text: "name"}, cell{text: "some words that tell what it is"})
	want := "name\n    some words that tell\n    what it is\n"
	if got := rows.text(25); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTableBreaksLongValuesButNotInTheLastColumn(t *testing.T) {
	rows := table{}
	long := strings.Repeat("x", mostColumn+5)
	rows.add(cell{text: long}, cell{text: long})
	want := long[:mostColumn] + "  " + long + "\n" + long[mostColumn:] + "\n"
	if got := rows.text(80); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTableColoursTextAndNotTheSpaceAround(t *testing.T) {
	rows := table{}
	rows.add(cell{"a", style{true}.bad}, cell{text: "b"})
	rows.add(cell{text: "long"}, cell{text: "b"})
	if got, want := rows.text(80), "\x1b[1;31ma\x1b[0m     b\nlong  b\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWrapKeepsWordsAndChopDoesNot(t *testing.T) {
	for _, test := range []struct {
		text       string
		width      int
		wrap, chop string
	}{
		{"", 5, "", ""},
		{"a b c", 3, "a b|c", "a b|c"},
		{"  a \n b  ", 80, "a b", "a b"},
		{"abcdef gh", 4, "abcdef|gh", "abcd|ef|gh"},
		{"ääää öö", 4, "ääää|öö", "ääää|öö"},
	} {
		if got := strings.Join(wrap(test.text, test.width), "|"); got != test.wrap {
			t.Errorf("wrap(%q, %d) = %q, not %q", test.text, test.width, got, test.wrap)
		}
		if got := strings.Join(chop(test.text, test.width), "|"); got != test.chop {
			t.Errorf("chop(%q, %d) = %q, not %q", test.text, test.width, got, test.chop)
		}
	}
}

// linesFit returns the lines that are longer than width and could be shorter.
func tooLong(text string, width int) (lines []string) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) > 1 && utf8.RuneCountInString(strings.TrimRight(line, "\n")) > width {
			lines = append(lines, line)
		}
	}
	return lines
}
