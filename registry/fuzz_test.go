package registry_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// No string makes Build, Roles or Complete panic, and every fault is in the string. What is right stays right, with the
// same options, when it is written in canonical form.
func FuzzBuild(f *testing.F) { // PA-03
	archive, err := txtar.ParseFile("testdata/faults.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archive.Files {
		command, _, _ := strings.Cut(string(file.Data), "\n")
		_, in, _ := strings.Cut(command, " ")
		f.Add(in)
	}
	r := fakes()
	f.Fuzz(func(t *testing.T, s string) {
		for _, role := range registry.Roles() {
			checkBuild(t, r, s, role)
		}
		roles, err := r.Roles(s)
		if (len(roles) == 0) != (err != nil) {
			t.Errorf("%q: roles %v, %v", s, roles, err)
		}
		for _, c := range r.Complete(s) {
			if c.Text == "" {
				t.Errorf("%q: an empty candidate", s)
			}
		}
	})
}

func checkBuild(t *testing.T, r *registry.Registry, s string, role registry.Role) {
	t.Helper()
	e, layer, err := r.Build(s, role)
	checkPlaces(t, s, err)
	if (e == nil) != (err != nil) {
		t.Fatalf("%q as a %s: %v, %v", s, role, e, err)
	}
	if layer != nil {
		layer.Walk(func(l *registry.Layer, _ int) { _ = l.Text() })
	}
	if err != nil {
		return
	}
	d, err := grammar.Parse(s)
	if err != nil {
		t.Fatalf("%q is built, and not parsed: %v", s, err)
	}
	again, _, err := r.Build(d.String(), role)
	if err != nil || !sameText(e, again) {
		t.Errorf("%q is %v, and %q is %v, %v", s, e, d.String(), again, err)
	}
}

// sameText compares the options of endpoints as they are printed, for they have pointers in them.
var hexes = regexp.MustCompile("0x[0-9a-f]+")

func sameText(a, b any) bool {
	text := func(v any) string {
		f := v.(*fake)
		return hexes.ReplaceAllString(fmt.Sprintf("%+v", f.options), "0x")
	}
	return text(a) == text(b)
}

func TestRandomStringsAreBuiltOrRefusedWithAPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		s := strings.ReplaceAll(secretive(r, r.IntN(5)), mark, "x")
		for range r.IntN(5) {
			s = spoil(r, s)
		}
		s = strings.ReplaceAll(s, mark, "x")
		checkBuild(t, fakes(), s, registry.Roles()[r.IntN(5)])
	}
}

// hostile are strings that cost as much as they can.
func hostile() map[string]string {
	repeat := func(s string, n int) string { return strings.Repeat(s, n) }
	return map[string]string{
		"a MiB":                      repeat("x", 1<<20),
		"300,000 braces":             repeat("{", 300_000),
		"100,000 fields":             repeat("a:", 100_000),
		"invalid UTF-8":              repeat("\xff", 1<<20),
		"zeros":                      repeat("\x00", 1<<20),
		"escape sequences":           repeat("\x1b[2J", 1<<18),
		"the longest name":           repeat("x", grammar.MaxLength),
		"the longest control":        repeat("\x1b", grammar.MaxLength),
		"many unknown keys":          "tcp:" + repeat("abcdefgh=1:", 255) + "x",
		"many unknown short keys":    "login:" + repeat("pass=secretsecretsecret:", 250) + "x",
		"many secrets":               "vault:me:k:" + repeat("r=secretsecretsecret:", 250) + "x=y",
		"many pieces of an address":  "tcp:" + repeat("1:", 250) + "x",
		"many duplicates":            "tcp:" + repeat("host=a:", 250) + "x",
		"many endpoints":             "chain:" + repeat("{tcp:a}:", 120) + "{tcp:a}",
		"many secret endpoints":      "chain:" + repeat("{login:password=secret12:x=y}:", 70) + "{tcp:a}",
		"a deep rest":                repeat("haproxy:", 250) + "tcp:80",
		"deep braces":                repeat("login:{", 15) + "vault:me:" + repeat("secretsecret=secretsecret:", 100) + "x" + repeat("}", 15),
		"deep escapes":               escaped("login:password=secretsecret:x=y", 9),
		"deep brackets":              "login:endpoint=[" + repeat("login:endpoint=", 500) + "]",
		"text that looks nested":     "login:user=" + repeat("a=b:c={d:e=", 600),
		"escapes that look nested":   `login:user=` + repeat(`a\=b\:password\=x\:`, 400),
		"equals signs":               repeat("=", grammar.MaxLength-8) + ":login",
		"equals signs as a value":    "login:user=" + repeat("=", grammar.MaxLength-20),
		"equals signs in brackets":   "login:[" + repeat("=", grammar.MaxLength-20) + "]:x=y",
		"a list":                     "all:ints=" + repeat("1,", 4000) + "x",
		"a long enum":                "all:enum=" + repeat("x", 8000),
		"names near others":          repeat("tcpp:", 200),
		"a list of secrets":          "login:spare=" + numbers(4000, ",", 1600),
		"a list of wrong secrets":    "login:spare=" + numbers(4000, ",env:,", 700) + ":y=z",
		"an address of many letters": "tcp6:host=" + repeat("fe80", 2000) + ":port=80",
	}
}

// numbers are n of them, from one on.
func numbers(from int, separator string, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strconv.Itoa(from + i)
	}
	return strings.Join(list, separator)
}

// escaped is a description in n others, as escaped text.
func escaped(s string, n int) string {
	for range n {
		s = "login:endpoint=" + grammar.QuoteKey(s)
	}
	return s
}

func TestHostileStringsCostLittle(t *testing.T) { // PA-01
	const most = 8 << 20 // bytes, for each string
	r := fakes()
	for name, s := range hostile() {
		for what, f := range map[string]func(){
			"Build":    func() { _, _, _ = r.Build(s, registry.RoleClient) },
			"Roles":    func() { _, _ = r.Roles(s) },
			"Complete": func() { r.Complete(s) },
		} {
			if n := allocated(f); n > most {
				t.Errorf("%s of %s takes %d KiB", what, name, n>>10)
			}
		}
		_, layer, err := r.Build(s, registry.RoleClient)
		checkPlaces(t, s, err)
		if layer != nil {
			if n := allocated(func() { layer.Walk(func(l *registry.Layer, _ int) { _ = l.Text() }) }); n > most {
				t.Errorf("Text of %s takes %d KiB", name, n>>10)
			}
		}
	}
}

// A string that is twice as long takes little more than twice the time. The times are of one run, the least of several.
func TestTheTimeOfHostileStringsIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes its time")
	}
	r := fakes()
	for name, s := range hostile() {
		start := time.Now()
		_, _ = r.Roles(s)
		// A bound that no machine is too slow for, and that nothing but a runaway exceeds.
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s takes %v", name, took)
		}
	}
}

func BenchmarkHostile(b *testing.B) {
	r := fakes()
	for name, s := range hostile() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = r.Roles(s)
			}
		})
	}
}

// allocated returns the bytes that f allocates. Other goroutines of the test must be idle.
func allocated(f func()) uint64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f() // what is made once
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
