package main

import (
	"net"
	"reflect"
	"strings"
	"testing"
)

func TestSuiteReaderTellsChecksApart(t *testing.T) {
	const said = "\x16=== RUN   x\n" +
		"\x16=== RUN   x/declaration\n    a.go:1: too short\n        rule: one\n    a.go:2: too long,\n        and again\n        rule: two\n" +
		"\x16--- FAIL: x/declaration (0.25s)\n\x16=== NAME  x\n" +
		"\x16=== RUN   x/conn\n\x16=== RUN   x/conn/a_b\n    c.go:3: no\n\x16--- FAIL: x/conn/a_b (1.00s)\n" +
		"\x16=== NAME  x/conn\n\x16--- FAIL: x/conn (1.50s)\n" +
		"\x16=== RUN   x/packet\n    d.go:4: there is none\n\x16--- SKIP: x/packet (0.00s)\n" +
		"\x16=== RUN   x/leaks\n    d.go:5: said, and not meant\n\x16--- PASS: x/leaks (0.00s)\n" +
		"\x16--- FAIL: x (1.75s)\n\x16FAIL"
	r := &pluginReport{}
	r.read(strings.NewReader(said))
	want := []*checkReport{
		{Name: "declaration", Status: "failed", Seconds: 0.25, Failures: []failure{
			{Message: "too short", Rule: "one"}, {Message: "too long,\nand again", Rule: "two"},
		}},
		{Name: "conn", Status: "failed", Seconds: 1.5, Failures: []failure{{Test: "a_b", Message: "no"}}},
		{Name: "packet", Status: "skipped", Why: "there is none"},
		{Name: "leaks", Status: "passed"},
	}
	if !r.complete || r.OK || !reflect.DeepEqual(r.Checks, want) {
		t.Errorf("complete %t, ok %t, checks:", r.complete, r.OK)
		for _, c := range r.Checks {
			t.Errorf("  %+v", *c)
		}
	}
}

// What a program says stands in messages, whose lines are indented: it can't tell of checks that were none. // PL-12
func TestSuiteReaderTakesNoResultFromAMessage(t *testing.T) {
	r := &pluginReport{}
	r.read(strings.NewReader("\x16=== RUN   x\n\x16=== RUN   x/errors\n    a.go:1: it says\n        \x16--- PASS: x (0.00s)\n" +
		"            b.go:2: and more\n\x16--- FAIL: x/errors (0.00s)\n"))
	want := []failure{{Message: "it says\n\x16--- PASS: x (0.00s)\n    b.go:2: and more"}}
	if r.complete || len(r.Checks) != 1 || !reflect.DeepEqual(r.Checks[0].Failures, want) {
		t.Errorf("complete %t, %+v", r.complete, r.Checks[0])
	}
}

func TestSuiteReaderKeepsSoManyFailuresOnly(t *testing.T) {
	r := &pluginReport{}
	r.read(strings.NewReader("\x16=== RUN   x/errors\n" + strings.Repeat("    a.go:1: again\n", 1000) + "\x16--- FAIL: x/errors (0.00s)\n\x16--- FAIL: x (0.00s)\n"))
	if n := len(r.Checks[0].Failures); n != mostFailures {
		t.Errorf("%d failures", n)
	}
}

// What keeps the suite from starting is told as a check of the plugin.
func TestSuiteReaderTellsWhatIsWrongWithTheWhole(t *testing.T) {
	r := &pluginReport{}
	r.read(strings.NewReader("\x16=== RUN   x\n    a.go:1: no name\n        rule: a name\n\x16--- FAIL: x (0.00s)\n"))
	if len(r.Checks) != 1 || r.Checks[0].Name != "plugin" || r.Checks[0].Failures[0] != (failure{Message: "no name", Rule: "a name"}) {
		t.Errorf("%+v", r.Checks)
	}
}

func TestExampleLines(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"lines":             {"a # client\n\n# remark\r\nb # server\r\n", "a # client|b # server"},
		"blocks":            {"# x\n```endpoint\na # client\n```\ntext\n```caret\nc\n```\n```endpoint\nb # server\n# remark\n```\n", "a # client|b # server"},
		"a block of others": {"```sh\n```\n```endpoint\na # client\n```", "a # client"},
		"nothing":           {"", ""},
	} {
		if got := strings.Join(exampleLines(tc.text), "|"); got != tc.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestClientAt(t *testing.T) {
	tcp := &net.TCPAddr{IP: net.IPv6loopback, Port: 80}
	for _, tc := range []struct {
		text string
		addr net.Addr
		want string
	}{
		{"x:at=%a", tcp, `x:at=\[\:\:1]\:80`},
		{"x:host=%h:port=%p:share=100%%", tcp, `x:host=\:\:1:port=80:share=100%`},
		{"x:%a", &net.UnixAddr{Name: "@name", Net: "unix"}, "x:name"},
	} {
		if got := clientAt(tc.text, tc.addr); got != tc.want {
			t.Errorf("%s is %s, not %s", tc.text, got, tc.want)
		}
	}
}
