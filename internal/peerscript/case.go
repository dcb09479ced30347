package peerscript

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/txtar"
)

// A Case is a script with the endpoint that it is played to and what must come of it. It is read from a txtar file:
//
//	Text that says what the case is, with the ids of requirements (# ST-01).
//	-- string --
//	parameters of the endpoint under test, as proto=smtp, several lines are joined by colons
//	-- peer --
//	steps, see the package comment
//	-- want --
//	what must come of it
//
// Want has a line for each thing that must be so. The first is the outcome:
//
//	ok                       a connection comes of it, inside TLS; so does
//	plain                    one in plain text, which is warned of
//	none                     a server hands no connection out, and no reason is asked for
//	error [stage=A|B] [is=A|B] [contains="TEXT"]… [lacks="TEXT"]…
//	                         an error of one of the stages and kinds, whose text has or lacks the texts
//
// The others are
//
//	plaintext BYTES…         the peer has seen exactly these bytes in plain text, in total
//	plaintext /REGEXP/       the same with an expression for the whole
//	hello, no-hello          the peer has seen a handshake record of TLS, or none
//	closed                   the connection was closed by the endpoint under test
//	within DURATION          the outcome was there by then
//	read BYTES…              whoever got the connection reads these bytes first,
//	write BYTES…             or writes them; in the order of the lines
//	alpn NAME                TLS negotiated this protocol
type Case struct {
	Comment string
	IDs     []string // of requirements
	Params  []string
	Peer    *Script
	Want    Want
}

// A Want is what must come of a case.
type Want struct {
	Outcome  string   // ok, plain, none, error
	Stages   []string // any of these; none: all will do
	Is       []string // any of these kinds
	Contains []string
	Lacks    []string

	Plaintext       []byte // nil: not asked for
	PlaintextRegexp *regexp.Regexp
	Hello, NoHello  bool
	Closed          bool
	Within          time.Duration // 0: not asked for
	Talk            []Talk
	ALPN            string
}

// A Talk is what is done with the connection that comes of a case.
type Talk struct {
	Write bool
	Bytes []byte
}

var idPattern = regexp.MustCompile(`\b[A-Z]{2}-[0-9]{2}\b`)

// ReadCase reads a case from a file.
func ReadCase(path string) (*Case, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c, err := ParseCase(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// ParseCase reads a case.
func ParseCase(data []byte) (*Case, error) {
	archive := txtar.Parse(data)
	c := &Case{Comment: string(archive.Comment)}
	c.IDs = idPattern.FindAllString(c.Comment, -1)
	for _, f := range archive.Files {
		if err := c.section(f.Name, string(f.Data)); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	switch {
	case len(c.Params) == 0:
		return nil, fmt.Errorf("no string")
	case c.Peer == nil:
		return nil, fmt.Errorf("no peer")
	case c.Want.Outcome == "":
		return nil, fmt.Errorf("want: no outcome")
	}
	return c, nil
}

func (c *Case) section(name, text string) (err error) {
	switch name {
	case "string":
		c.Params = slices.DeleteFunc(strings.Split(strings.TrimSpace(text), "\n"), func(p string) bool { return p == "" })
	case "peer":
		c.Peer, err = Parse(text)
	case "want":
		for _, line := range strings.Split(text, "\n") {
			words, err := split(line)
			if err == nil && len(words) > 0 {
				err = c.Want.line(words[0], words[1:])
			}
			if err != nil {
				return err
			}
		}
	default:
		err = fmt.Errorf("no section is called so")
	}
	return err
}

func (w *Want) line(name string, args []string) (err error) {
	switch name {
	case "ok", "plain", "none", "error":
		w.Outcome = name
		for _, arg := range args {
			if err := w.attribute(arg); err != nil {
				return err
			}
		}
	case "plaintext":
		if len(args) == 1 && isExpression(args[0]) {
			w.PlaintextRegexp, err = expression(args[0])
		} else {
			w.Plaintext, err = literals(args)
		}
	case "hello":
		w.Hello = true
	case "no-hello":
		w.NoHello = true
	case "closed":
		w.Closed = true
	case "within":
		w.Within, err = time.ParseDuration(strings.Join(args, " "))
	case "alpn":
		w.ALPN = strings.Join(args, " ")
	case "read", "write":
		var b []byte
		b, err = literals(args)
		w.Talk = append(w.Talk, Talk{name == "write", b})
	default:
		err = fmt.Errorf("nothing to want is called %s", name)
	}
	return err
}

// attribute reads what is said of an error.
func (w *Want) attribute(arg string) error {
	key, value, _ := strings.Cut(arg, "=")
	if w.Outcome != "error" {
		return fmt.Errorf("%s takes nothing", w.Outcome)
	}
	switch key {
	case "stage":
		w.Stages = strings.Split(value, "|")
	case "is":
		w.Is = strings.Split(value, "|")
	case "contains", "lacks":
		b, err := literal(value)
		if err != nil {
			return err
		}
		if key == "contains" {
			w.Contains = append(w.Contains, string(b))
		} else {
			w.Lacks = append(w.Lacks, string(b))
		}
	default:
		return fmt.Errorf("of an error one can't say %s", key)
	}
	return nil
}

// Faults says what in a peer's record is not as wanted.
func (w *Want) Faults(r *Result) []string {
	var faults []string
	fault := func(is bool, format string, args ...any) {
		if is {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	fault(w.Plaintext != nil && string(r.Plain) != string(w.Plaintext), "in plain text the peer saw %q, want %q", r.Plain, w.Plaintext)
	fault(w.PlaintextRegexp != nil && !w.PlaintextRegexp.Match(r.Plain), "in plain text the peer saw %q, want %s", r.Plain, w.PlaintextRegexp)
	fault(len(r.Late) > 0, "behind a TLS record the peer saw plain text: %q", r.Late)
	fault(w.Hello && !r.Hello, "the peer saw no TLS handshake")
	fault(w.NoHello && r.Hello, "the peer saw a TLS handshake")
	fault(w.Closed && !r.Closed, "the connection was not closed")
	fault((w.Outcome == "ok") != (r.TLS != nil), "TLS came up at the peer: %t", r.TLS != nil)
	if w.ALPN != "" && r.TLS != nil {
		fault(r.TLS.NegotiatedProtocol != w.ALPN, "ALPN gave %q, want %q", r.TLS.NegotiatedProtocol, w.ALPN)
	}
	return faults
}
