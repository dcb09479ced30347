package main

import (
	"io"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// printable returns s as one line that a terminal shows and does not obey: what is not printable is escaped as in Go.
func printable(s string) string {
	plain := true
	for _, r := range s {
		plain = plain && shows(r)
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		b = appendShown(b, s[:size], r)
		s = s[size:]
	}
	return string(b)
}

// shows says that a terminal shows r. U+FFFD stands for bytes that are not UTF-8.
func shows(r rune) bool { return r != utf8.RuneError && unicode.IsPrint(r) }

func appendShown(b []byte, text string, r rune) []byte {
	if shows(r) {
		return append(b, text...)
	}
	quoted := strconv.QuoteToGraphic(text)
	return append(b, quoted[1:len(quoted)-1]...)
}

// An escaper writes what a peer sent to a terminal: lines and tabs stay, what the terminal would obey is escaped. A
// carriage return before a newline, as many protocols have it, is left out.
type escaper struct {
	w    io.Writer
	rest []byte // the start of a character, or a carriage return, whose end has not come yet
}

func (e *escaper) Write(p []byte) (int, error) {
	text := append(e.rest, p...)
	out := make([]byte, 0, len(text)+16)
	for len(text) > 0 && !unfinished(text) {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == '\r' && text[1] == '\n':
		case r == '\n' || r == '\t':
			out = append(out, byte(r))
		default:
			out = appendShown(out, string(text[:size]), r)
		}
		text = text[size:]
	}
	e.rest = text
	if _, err := e.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

func unfinished(text []byte) bool {
	return len(text) == 1 && text[0] == '\r' || !utf8.FullRune(text)
}

// Close writes what is left.
func (e *escaper) Close() error {
	var out []byte
	for _, c := range e.rest {
		out = appendShown(out, string([]byte{c}), utf8.RuneError)
	}
	e.rest = nil
	_, err := e.w.Write(out)
	return err
}
