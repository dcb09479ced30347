package registry_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The golden file is a txtar archive. Each file of it is a case. Its first line is "ROLE STRING", where STRING is a Go
// string if it begins with a quotation mark. Below it stand the errors as people see them, and behind each fix that
// mends its string the line "mended: STRING".
func TestFaultsShowTheirPlaceAndFix(t *testing.T) { // PA-05, PA-06
	const path = "testdata/faults.txtar"
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range archive.Files {
		file := &archive.Files[i]
		t.Run(file.Name, func(t *testing.T) {
			command, want, _ := strings.Cut(string(file.Data), "\n")
			got := drawn(t, command)
			if got != want && !*update {
				t.Errorf("%s\n got\n%s\nwant\n%s", command, got, want)
			}
			file.Data = []byte(command + "\n" + got)
		})
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// drawn builds the string of a command and draws what is wrong with it.
func drawn(t *testing.T, command string) string {
	t.Helper()
	role, in, _ := strings.Cut(command, " ")
	role, system, _ := strings.Cut(role, "@")
	r := fakes()
	if system != "" {
		r = r.On(system)
	}
	if strings.HasPrefix(in, `"`) {
		var err error
		if in, err = strconv.Unquote(in); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
	}
	_, _, err := r.Build(in, registry.Role(role))
	var drawings []string
	for _, e := range grammar.All(err) {
		drawing := e.Caret() + "\n"
		if e.Fix != "" {
			mended := in[:e.Start] + e.Fix + in[e.End:]
			if !says(r, mended, registry.Role(role), e.Message) {
				drawing += "mended: " + mended + "\n"
			}
		}
		drawings = append(drawings, drawing)
	}
	return strings.Join(drawings, "\n")
}

func says(r *registry.Registry, s string, role registry.Role, message string) bool {
	_, _, err := r.Build(s, role)
	for _, e := range grammar.All(err) {
		if e.Message == message {
			return true
		}
	}
	return false
}

// A string with a fix in place no longer has that fault.
func TestFixesMend(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/faults.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range archive.Files {
		fixes := strings.Count(string(file.Data), "\nfix: ")
		mended := strings.Count(string(file.Data), "\nmended: ")
		if fixes != mended {
			t.Errorf("%s: %d fixes, of which %d mend", file.Name, fixes, mended)
		}
	}
}

func TestSeveralFaultsComeInTheOrderOfTheirPlaces(t *testing.T) {
	in := "tcp:port=99999:hots=a:timeout=never:port=1:bindAddress=x:}"
	_, _, err := fakes().Build(in, registry.RoleClient)
	var all grammar.Errors
	if !errors.As(err, &all) || len(all) != 6 {
		t.Fatalf("%v", err)
	}
	last := 0
	for _, e := range all {
		if e.Start < last || e.Input != in {
			t.Errorf("%v at %d after one at %d", e, e.Start, last)
		}
		last = e.Start
	}
	var one *grammar.Error
	if !errors.As(err, &one) || one != all[0] {
		t.Errorf("errors.As finds %v", one)
	}
}

// What a plugin says is told whole: where an error wraps several, where it wraps none, and where one is a fault.
func TestErrorsThatWrapSeveral(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	for _, tc := range []struct {
		err  error
		want []string
	}{
		{errors.Join(first, second), []string{"odd: first", "odd: second"}},
		{fmt.Errorf("both %w and %w", first, second), []string{"odd: both first and second"}},
		{emptyJoin{}, []string{"odd: of nothing"}},
		{errors.Join(registry.Bad("", "at fault"), second), []string{"at fault", "odd: second"}},
	} {
		plugin := registry.Plugin{Name: "odd", Doc: "Fails.", Client: registry.For(func(struct{}) (registry.Client, error) { return nil, tc.err })}
		_, err := registry.Must(registry.New(plugin)).NewClient("odd")
		var got []string
		for _, e := range grammar.All(err) {
			got = append(got, e.Message)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%v: %q, want %q", tc.err, got, tc.want)
		}
	}
}

type emptyJoin struct{}

func (emptyJoin) Error() string   { return "of nothing" }
func (emptyJoin) Unwrap() []error { return nil }
