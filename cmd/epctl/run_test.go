package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// do runs epctl within the test, with no terminal.
func do(r *registry.Registry, stdin string, args ...string) (stdout, stderr string, status int) {
	var out, err bytes.Buffer
	p := process{strings.NewReader(stdin), &out, &err, func(string) string { return "" }}
	status = run(context.Background(), r, args, p)
	return out.String(), err.String(), status
}

// PA-08: no verb shows a secret but fmt, whose work is to write the string.
func TestNoVerbShowsASecret(t *testing.T) {
	r := extra(endpoint.Default)
	random := rand.New(rand.NewPCG(8, 8))
	for range 5 {
		secret := fmt.Sprintf("s%dt", random.Uint64())
		escaped := secret[:4] + `\` + secret[4:]
		for _, s := range []string{
			"gate:{tcp4:127.0.0.1:1}:" + secret,
			"gate:{tcp4:127.0.0.1:1}:password=" + escaped,
			"gate:{tcp4:127.0.0.1:1}:password=[" + secret + "]",
			"gate:password=" + secret + ":endpoint=" + grammar.Quote("gate:password="+secret+":{tcp4:0}"),
			"gate:password=" + secret + ":password=" + secret,
			"gate:{tcp4:127.0.0.1:99999}:" + secret,
			"gate:{nonsense}:password=" + secret,
			"gait:password=" + secret,
			"gate:passwort=" + secret,
			"gate:password=" + secret + ":{",
			"gate:password=" + secret + ":{tls:127.0.0.1:1:trustRoots=/no/such/file}",
			"gate:password=" + secret + ":{ssl:port=0:interface=127.0.0.1}",
		} {
			for _, args := range [][]string{
				{"check", s}, {"check", "--json", s}, {"check", "-"}, {"parse", s}, {"parse", "-0"}, {"explain", s},
				{"explain", "--json", s}, {"try", "--timeout", "1ns", s}, {"try", "--json", "--timeout", "1ns", s},
				{"check", "--deep", "-v", s}, {"check", "--deep", "--json", s}, {"tls", "--timeout", "1ns", s},
				{"tls", "--json", "--timeout", "1ns", s}, {"dial", "--trace", "--timeout", "1ns", s}, {"dial", "--trace=json", "--timeout", "1ns", s},
			} {
				stdout, stderr, _ := do(r, s, args...)
				if strings.Contains(stdout+stderr, secret) {
					t.Fatalf("%v\nstdout: %s\nstderr: %s", args, stdout, stderr)
				}
			}
		}
	}
}

// PA-01, PA-05
func TestHostileStringsAreErrors(t *testing.T) {
	for name, s := range map[string]string{
		"nothing":           "",
		"a mebibyte":        strings.Repeat("x", 1<<20),
		"braces":            "x:" + strings.Repeat("{", 300_000),
		"fields":            strings.Repeat(":", 100_000),
		"not UTF-8":         "tcp4:\xff\xfe80",
		"NUL":               "tcp4:80\x00",
		"escape sequences":  "tcp4:\x1b[2J80",
		"other directions":  "tcp4:\u202e80",
		"separators":        "tcp4:\u202880",
		"keys":              "tcp4:\x1b]0;x\a=80",
		"a very long key":   "tcp4:" + strings.Repeat("k", 4000) + "=1",
		"a very long value": "tcp4:" + strings.Repeat("9", 8000),
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{{"check", s}, {"check", "--json", s}, {"explain", s}, {"try", s}, {"dial", s}, {"listen", s}} {
				stdout, stderr, status := do(endpoint.Default, "", args...)
				if status != 1 {
					t.Errorf("%s: status %d", args[0], status)
				}
				if i := strings.IndexFunc(stderr, func(r rune) bool { return r != '\n' && r < ' ' }); i >= 0 {
					t.Errorf("%s: a control character in %.80q", args[0], stderr[i:])
				}
				if stdout != "" && !json.Valid([]byte(stdout)) {
					t.Errorf("%s: stdout is %.80q", args[0], stdout)
				}
			}
		})
	}
}

func TestTextFitsTheWidth(t *testing.T) {
	r := extra(endpoint.Default)
	for _, width := range []string{"80", "60"} {
		var columns int
		_, _ = fmt.Sscan(width, &columns)
		for _, args := range [][]string{
			{"list"}, {"doc", "tcp6"}, {"doc", "gate"}, {"explain", "tcp6:80"},
			{"explain", "gate:{gate:{tcp6:80}:[env:A]}:[env:B]"},
			{"try", "tcp4:port=0:interface=127.0.0.1"}, {"check", "tcp6:80:foo=1"},
			{"try", "ssl:port=0:interface=127.0.0.1"}, {"try", "starttls:{tcp4:port=0:interface=127.0.0.1}:imap"},
			{"check", "--deep", "-v", "tls:port=0:certificate=/no/such/file/as/this/one"}, {"explain", "tls:port=0:certificate=/no/such/file"},
		} {
			var out bytes.Buffer
			env := map[string]string{"COLUMNS": width}
			run(context.Background(), r, args, process{strings.NewReader(""), &out, &out, func(name string) string { return env[name] }})
			lines := slices.DeleteFunc(tooLong(out.String(), columns), func(line string) bool {
				return strings.Contains(line, "/epctl-try-") // a string stays whole, so that it can be copied
			})
			if len(lines) > 0 {
				t.Errorf("%v at %s columns:\n%s", args, width, strings.Join(lines, ""))
			}
		}
	}
}

func TestOutputIsPlainWhereItIsNoTerminal(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, w := range []io.Writer{new(bytes.Buffer), null} {
		o := newOutput(w, func(string) string { return "" })
		if o.on || o.terminal || o.width != usualWidth {
			t.Errorf("%T: %+v", w, o.style)
		}
	}
	for columns, want := range map[string]int{"": 80, "40": 40, "1000": mostWidth, "-3": 80, "x": 80} {
		if o := newOutput(null, func(string) string { return columns }); o.width != want {
			t.Errorf("COLUMNS=%s: %d", columns, o.width)
		}
	}
}

// The order between stdout and stderr is that of the strings where both are one file.
func TestCheckKeepsTheOrderWhereStdoutIsStderr(t *testing.T) {
	var both bytes.Buffer
	run(context.Background(), endpoint.Default, []string{"check", "tcp4:x", "tcp4:1", "tcp4:y", "tcp4:2"},
		process{strings.NewReader(""), &both, &both, func(string) string { return "" }})
	var starts []string
	for line := range strings.Lines(both.String()) {
		if strings.Contains(line, "tcp4:") {
			starts = append(starts, strings.TrimSpace(line))
		}
	}
	if got := strings.Join(starts, "|"); got != "tcp4:x|ok  server  tcp4:1|tcp4:y|ok  server  tcp4:2" {
		t.Errorf("got %s\n%s", got, &both)
	}
}
