package grammar_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The golden file is a txtar archive. Each file of it is a case. Its first line is "parse INPUT", or "describe INPUT" for
// the description in the last field of the input; INPUT is a Go string where it begins with a quotation mark. Below it
// stand the errors as people see them.
func TestErrorsShowTheirPlaceAndFix(t *testing.T) { // PA-05, PA-06
	const path = "testdata/errors.txtar"
	archive, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := regexp.MustCompile(`(?m)^-- (.*) --\n`)
	comment, _, _ := strings.Cut(string(archive), "-- ")
	names, cases := header.FindAllStringSubmatch(string(archive), -1), header.Split(string(archive), -1)[1:]
	golden := comment
	for i, data := range cases {
		name := names[i][1]
		t.Run(name, func(t *testing.T) {
			command, want, _ := strings.Cut(data, "\n")
			_, err := run(t, command)
			got := carets(err)
			golden += "-- " + name + " --\n" + command + "\n" + got
			if got != want && !*update {
				t.Errorf("%s\n got\n%s\nwant\n%s", command, got, want)
			}
			for _, e := range grammar.All(err) {
				checkFix(t, command, e)
			}
		})
	}
	if *update {
		if err := os.WriteFile(path, []byte(golden), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func run(t *testing.T, command string) (*grammar.Description, error) {
	t.Helper()
	verb, in, _ := strings.Cut(command, " ")
	if strings.HasPrefix(in, `"`) {
		text, err := strconv.Unquote(in)
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		in = text
	}
	return runVerb(t, verb, in)
}

func runVerb(t *testing.T, verb, in string) (*grammar.Description, error) {
	t.Helper()
	d, err := grammar.Parse(in)
	if verb == "parse" {
		return d, err
	}
	if err != nil {
		t.Fatalf("%q: %v", in, err)
	}
	return d.Fields[len(d.Fields)-1].Description()
}

func carets(err error) string {
	var b strings.Builder
	for i, e := range grammar.All(err) {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(e.Caret() + "\n")
	}
	return b.String()
}

// checkFix fails where putting the fix in its place does not do away with the fault.
func checkFix(t *testing.T, command string, e *grammar.Error) {
	t.Helper()
	if e.Fix == "" {
		return
	}
	verb, _, _ := strings.Cut(command, " ")
	_, before := runVerb(t, verb, e.Input)
	_, after := runVerb(t, verb, mend(e))
	if was, is := len(grammar.All(before)), len(grammar.All(after)); is >= was {
		t.Errorf("%s: the fix of %q gives %q, with %d errors instead of %d:\n%v", command, e.Message, mend(e), is, was, after)
	}
}

func TestErrorIsOneLine(t *testing.T) {
	_, err := grammar.Parse(`tcp6:port=80:interface=[::1`)
	if got, want := err.Error(), `endpoint "tcp6:port=80:interface=[::1": byte 27: no ] closes the [ (fix: ])`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, err = grammar.Parse(`[a]b:[c]d`)
	want := `endpoint "[a]b:[c]d": byte 3: only a colon or the end may follow the closing ]` + "\n" +
		`endpoint "[a]b:[c]d": byte 8: only a colon or the end may follow the closing ]`
	if got := err.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestErrorsAreJoinedInOrderOfPlace(t *testing.T) {
	cause := errors.New("cause")
	late, early, wide := &grammar.Error{Start: 5, End: 6, Err: cause}, &grammar.Error{Start: 1, End: 2}, &grammar.Error{Start: 1, End: 4}
	if err := grammar.Join(); err != nil {
		t.Errorf("no fault: %v", err)
	}
	if err := grammar.Join(late); err != error(late) {
		t.Errorf("one fault: %v", err)
	}
	given := []*grammar.Error{late, wide, early}
	err := grammar.Join(given...)
	want := []*grammar.Error{early, wide, late}
	for name, err := range map[string]error{
		"itself": err, "wrapped": fmt.Errorf("line 3: %w", err), "joined": errors.Join(io.EOF, err),
		"joined by others": errors.Join(early, fmt.Errorf("and %w and %w", wide, late)),
	} {
		got := grammar.All(err)
		if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
			t.Errorf("%s: %v", name, got)
		}
	}
	var first *grammar.Error
	if !errors.As(err, &first) || first != early || !errors.Is(err, cause) {
		t.Errorf("As gives %v, Is %v", first, errors.Is(err, cause))
	}
	if given[0] != late {
		t.Error("Join changed its argument")
	}
	if got := grammar.All(io.EOF); got != nil {
		t.Errorf("All of another error is %v", got)
	}
	if got := grammar.All(nil); got != nil {
		t.Errorf("All of nil is %v", got)
	}
}

func TestErrorsAreJSON(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   any
		want string
	}{
		{"with a fix and a further place", &grammar.Error{Input: "secret", Start: 3, End: 5, Message: "m<\x1b>", Fix: `\\`, Also: []grammar.Span{{Start: 1, End: 2}}, Err: io.EOF},
			`{"start":3,"end":5,"message":"m\u003c\u001b\u003e","fix":"\\\\","also":[{"start":1,"end":2}]}`},
		{"empty", &grammar.Error{}, `{"start":0,"end":0,"message":"","fix":""}`},
		{"several", grammar.Errors{{Start: 1, End: 1}, {Start: 2, End: 3}},
			`[{"start":1,"end":1,"message":"","fix":""},{"start":2,"end":3,"message":"","fix":""}]`},
	} {
		got, err := json.Marshal(tt.in)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s\n got %s, %v\nwant %s", tt.name, got, err, tt.want)
		}
	}
}

// A value may be a secret. The caller masks Input; what the grammar itself says must not repeat it.
func TestMessagesAndFixesNeverQuoteTheInput(t *testing.T) { // PA-08
	r := rand.New(rand.NewPCG(7, 8))
	faulty := 0
	for range 4000 {
		marker := fmt.Sprintf("S%08xé", r.Uint32())
		in := strings.ReplaceAll(randomInput(r, 1+r.IntN(20)), "a", marker) + randomFault(r) + marker
		d, err := grammar.Parse(in)
		faults := grammar.All(err)
		for i := 0; d != nil && i < len(d.Fields); i++ {
			_, err := d.Fields[i].Description()
			faults = append(faults, grammar.All(err)...)
		}
		for _, e := range faults {
			faulty++
			checkSilent(t, e, marker)
		}
	}
	if faulty < 1000 {
		t.Errorf("only %d faults", faulty)
	}
}

func randomFault(r *rand.Rand) string {
	faults := []string{"", "[", "{", "[x]", "{x}", "\x00", "\xff\xfe", "\u202e", strings.Repeat("{", 17), strings.Repeat(":", 256), strings.Repeat("x", 8192)}
	return faults[r.IntN(len(faults))]
}

func checkSilent(t *testing.T, e *grammar.Error, marker string) {
	t.Helper()
	masked := *e
	masked.Input = string(bytes.Repeat([]byte{'*'}, len(e.Input)))
	text, err := json.Marshal(e) // the input is left out
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{
		e.Message, e.Fix, string(text), masked.Error(), masked.Caret(), fmt.Sprintf("%v %+v %#v", &masked, masked, masked),
	} {
		// Half of the marker would be too much.
		if strings.Contains(said, marker[1:5]) || strings.Contains(said, marker[5:9]) {
			t.Fatalf("%q is repeated in %q", marker, said)
		}
	}
}
