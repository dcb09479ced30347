// Package peerscript is a scripted peer for dialogues that end in TLS: it plays one side of one connection by a list of
// steps, hostile ones too, and keeps a record of all that the other side said in plain text. It is for tests only.
//
// # Scripts
//
// A step is a line; # begins a comment. BYTES are strings as in Go or hex digits behind 0x, several are joined, and
// ${name} in a string is what an earlier expression captured under that name.
//
//	send BYTES…             writes the bytes, in one write
//	split BYTES… N          writes them N bytes a write
//	drip BYTES… DURATION    writes a byte, waits, and so on until the other side has gone
//	repeat N BYTES…         writes them N times, or until the other side has gone
//	expect "TEXT"           reads a line, which ends in CRLF, and is wrong unless it begins with the text
//	expect /REGEXP/         the same with an expression for the whole line without CRLF
//	expect 0xHEX            reads exactly these bytes
//	expect-exact BYTES…     reads exactly these bytes
//	expect-bytes N          reads N bytes, whatever they are
//	until "TEXT"            reads until the text has come
//	until-line /REGEXP/     reads lines until one matches
//	ber [BYTES…]            reads an element of BER, whose contents begin with the bytes: a message of LDAP
//	packet                  reads a packet of MySQL
//	hello                   waits until the other side begins a TLS record, without reading it
//	delay DURATION          waits
//	tls [WORD…]             speaks TLS as a server from here on; see below
//	tls-client [WORD…]      speaks TLS as a client from here on
//	no-plaintext            from here on only TLS records may come, or the end
//	may-close               from here on it is not wrong if the other side closes before the script has ended, as it may
//	                        where time runs out on a slow machine
//	silent                  says nothing more and reads until the other side closes
//	eof                     the same, and is wrong if plain text comes, or if the other side does not close
//	half-close              sends no more; what comes can still be read
//	close                   closes the connection
//
// Steps after tls talk inside TLS. A script that has ended reads on until the other side closes.
//
// Words of tls: the certificate (ok, the default; expired; not-yet; other-name; hostile-name, which is for names that are
// not to be seen on a terminal; common-name, which has the name only there; self-signed; other-root, of an authority that is not trusted, any more or ever; client-only, not for servers),
// tls1.0 to tls1.3 for the only version spoken, alpn=A,B for the protocols that it takes, and fails: the handshake must
// not succeed, and the script goes on without TLS. Words of tls-client: versions, alpn and fails in the same way,
// name=NAME for another name than mx.test, and prefix=BYTES, plain text that goes out with the ClientHello in one write.
package peerscript

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Script is a list of steps for one side of one connection.
type Script struct{ steps []step }

type step struct {
	line int
	text string
	run  func(*player) error
}

// Parse reads a script.
func Parse(text string) (*Script, error) {
	s := &Script{}
	for i, line := range strings.Split(text, "\n") {
		words, err := split(line)
		if err == nil && len(words) > 0 {
			var run func(*player) error
			if run, err = parseStep(words[0], words[1:]); err == nil {
				s.steps = append(s.steps, step{i + 1, strings.TrimSpace(line), run})
			}
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return s, nil
}

func parseStep(name string, args []string) (func(*player) error, error) {
	switch name {
	case "send", "split", "drip", "repeat":
		return parseSend(name, args)
	case "expect", "expect-exact", "expect-bytes", "until", "until-line", "ber":
		return parseExpect(name, args)
	case "tls", "tls-client":
		return parseTLS(name, args)
	case "delay":
		if len(args) != 1 {
			return nil, fmt.Errorf("delay takes a duration")
		}
		d, err := time.ParseDuration(args[0])
		return func(p *player) error { time.Sleep(d); return nil }, err
	}
	run, ok := map[string]func(*player) error{
		"packet":       (*player).packet,
		"hello":        (*player).awaitHello,
		"no-plaintext": (*player).noPlaintext,
		"may-close":    (*player).allowClose,
		"silent":       (*player).silent,
		"eof":          (*player).eof,
		"half-close":   (*player).halfClose,
		"close":        (*player).close,
	}[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("no step is called %s", name)
	case len(args) > 0:
		return nil, fmt.Errorf("%s takes nothing", name)
	}
	return run, nil
}

func parseSend(name string, args []string) (func(*player) error, error) {
	var number string
	switch {
	case len(args) == 0:
		return nil, fmt.Errorf("no bytes given")
	case name == "repeat":
		number, args = args[0], args[1:]
	case name != "send":
		number, args = args[len(args)-1], args[:len(args)-1]
	}
	b, err := literals(args)
	if err != nil {
		return nil, err
	}
	if name == "drip" {
		gap, err := time.ParseDuration(number)
		return func(p *player) error { return p.drip(b, gap) }, err
	}
	n := 1
	if number != "" {
		if n, err = strconv.Atoi(number); err != nil || n < 1 {
			return nil, fmt.Errorf("%s is no number of bytes or times", number)
		}
	}
	switch name {
	case "split":
		return func(p *player) error { return p.split(b, n) }, nil
	case "repeat":
		return func(p *player) error { return p.repeat(b, n) }, nil
	default:
		return func(p *player) error { return p.send(b) }, nil
	}
}

func parseExpect(name string, args []string) (func(*player) error, error) {
	switch {
	case name == "ber" && len(args) == 0:
		return func(p *player) error { return p.ber(nil) }, nil
	case len(args) == 0:
		return nil, fmt.Errorf("%s takes what is expected", name)
	case name == "expect-bytes":
		n, err := strconv.Atoi(args[0])
		return func(p *player) error { _, err := p.bytes(n); return err }, err
	case isExpression(args[0]):
		re, err := expression(args[0])
		if name == "until-line" {
			return func(p *player) error { return p.untilLine(re) }, err
		}
		return func(p *player) error { return p.matchLine(re) }, err
	}
	b, err := literals(args)
	switch {
	case err != nil:
		return nil, err
	case name == "until":
		return func(p *player) error { return p.until(b) }, nil
	case name == "until-line":
		return nil, fmt.Errorf("until-line takes an expression")
	case name == "ber":
		return func(p *player) error { return p.ber(b) }, nil
	case name == "expect-exact" || strings.HasPrefix(args[0], "0x"):
		return func(p *player) error { return p.exact(b) }, nil
	default:
		return func(p *player) error { return p.prefix(b) }, nil
	}
}
