package main

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestErrorsAreWrappedOnATerminalOnly(t *testing.T) {
	err := errors.New("dial: 2 attempts failed\n  [2001:db8::1]:443 (IPv6): " + strings.Repeat("words ", 20) + "\x1b[31m")
	plain := (&output{file: io.Discard, width: 80}).problem(err)
	if strings.Count(plain, "\n") != 2 || !strings.HasPrefix(plain, "epctl: dial: 2 attempts failed\n    [2001:db8::1]:443 (IPv6): words ") {
		t.Errorf("%q", plain)
	}
	o := &output{file: io.Discard, width: 40, terminal: true}
	folded := o.problem(err)
	for line := range strings.Lines(folded) {
		if n := len(strings.TrimRight(line, "\n")); n > 40 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.HasPrefix(folded, "epctl: dial: 2 attempts failed\n    [2001:db8::1]:443 (IPv6):") || !strings.Contains(folded, "\n      words") || strings.Contains(folded, "\x1b") {
		t.Errorf("%s", folded)
	}
}

func TestNamesOfACertificateAreBounded(t *testing.T) {
	var names []string
	for range 50 {
		names = append(names, "name.example")
	}
	if got := namesText(names); !strings.HasSuffix(got, "name.example and 33 more") || len(got) > 300 {
		t.Error(got)
	}
	if got := namesText(nil) + namesText(names[:2]); got != "nonename.example, name.example" {
		t.Error(got)
	}
}
