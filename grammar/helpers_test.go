package grammar_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
)

// dump writes a tree in one line: "text" "key"="text" "key"={ nested }.
func dump(d *grammar.Description) string {
	if d == nil {
		return "nil"
	}
	words := make([]string, len(d.Fields))
	for i, f := range d.Fields {
		if f.Keyed {
			words[i] = fmt.Sprintf("%q=", f.Key)
		}
		if f.Nested != nil {
			words[i] += "{ " + dump(f.Nested) + " }"
		} else {
			words[i] += fmt.Sprintf("%q", f.Value)
		}
	}
	return strings.Join(words, " ")
}

func mustParse(t testing.TB, s string) *grammar.Description {
	t.Helper()
	d, err := grammar.Parse(s)
	if err != nil {
		t.Fatalf("Parse(%q): %v", s, err)
	}
	return d
}

// mustDescribe parses the value of the field with the key as a description.
func mustDescribe(t testing.TB, d *grammar.Description, key string) *grammar.Description {
	t.Helper()
	for i := range d.Fields {
		if d.Fields[i].Key == key {
			inner, err := d.Fields[i].Description()
			if err != nil {
				t.Fatalf("Description of %q: %v", key, err)
			}
			return inner
		}
	}
	t.Fatalf("no field %q in %q", key, d.Input)
	return nil
}

// mend puts the fix of e in its place.
func mend(e *grammar.Error) string { return e.Input[:e.Start] + e.Fix + e.Input[e.End:] }

// randomInput strings pieces of syntax and text together, most of them right, some not.
func randomInput(r *rand.Rand, pieces int) string {
	vocabulary := []string{
		":", ":", ":", "=", "=", "{", "}", "[", "]", `\`, `\:`, `\\`, `\=`, `\{`, `\[`, `\}`, `\]`, "[::1]", "{tcp:80}",
		"tcp6", "port=", "80", "a", "é", "日", "😀", " ", ":x={", "}:", ":y=[", "]:",
	}
	var b strings.Builder
	for range pieces {
		b.WriteString(vocabulary[r.IntN(len(vocabulary))])
	}
	return b.String()
}

// allocated returns the bytes that f allocates. Other goroutines of the test must be idle.
func allocated(f func()) uint64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var before, after runtime.MemStats
	f() // what is made once
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
