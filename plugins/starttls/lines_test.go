package starttls

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// A turn is what our side has to write, and what the peer says to that.
type turn struct{ want, answer string }

// A scriptedConn is a connection to a peer that keeps to a script, without a goroutine. When there is nothing to read, the
// peer has closed the connection.
type scriptedConn struct {
	net.Conn
	turns  []turn
	in     string // said by the peer, and not read
	wrong  []string
	writes int
	rounds int // times that our side waited for the peer after it had written
	asked  bool
	left   bool // the peer writes and does not wait: Read gives a byte at a time
}

// script makes turns of lines: "> " is said by a client, "< " by a server, both without their CR LF; "<< " and ">> " are as
// they are, to the end of the text.
func script(talk string, client bool) []turn {
	ours := '<'
	if client {
		ours = '>'
	}
	turns := []turn{{}}
	for talk != "" {
		who := rune(talk[0])
		var text string
		if talk[1] == byte(who) {
			text, talk = talk[3:], ""
		} else {
			text, talk, _ = strings.Cut(talk[2:], "\n")
			text += "\r\n"
		}
		last := &turns[len(turns)-1]
		switch {
		case who != ours:
			last.answer += text
		case last.answer != "":
			turns = append(turns, turn{want: text})
		default:
			last.want += text
		}
	}
	return turns
}

func play(talk string, client bool) *scriptedConn {
	c := &scriptedConn{turns: script(talk, client)}
	c.next("")
	return c
}

// next lets the peer say what follows on b.
func (c *scriptedConn) next(b string) {
	if len(c.turns) == 0 || !strings.HasPrefix(c.turns[0].want, b) {
		c.wrong = append(c.wrong, fmt.Sprintf("wrote %q, the script has %q", b, c.turns))
		return
	}
	if c.turns[0].want = c.turns[0].want[len(b):]; c.turns[0].want == "" {
		c.in += c.turns[0].answer
		c.turns = c.turns[1:]
	}
}

func (c *scriptedConn) Write(b []byte) (int, error) {
	c.writes++
	c.asked = true
	c.next(string(b))
	return len(b), nil
}

func (c *scriptedConn) Read(b []byte) (int, error) {
	if c.asked {
		c.rounds, c.asked = c.rounds+1, false
	}
	if c.in == "" {
		return 0, io.EOF
	}
	if c.left {
		b = b[:1]
	}
	n := copy(b, c.in)
	c.in = c.in[n:]
	return n, nil
}

func (c *scriptedConn) SetDeadline(time.Time) error { return nil }
func (c *scriptedConn) Close() error                { return nil }

// over reports what of the script was not done, or done otherwise.
func (c *scriptedConn) over(t *testing.T) {
	t.Helper()
	for _, wrong := range c.wrong {
		t.Error(wrong)
	}
	if len(c.turns) > 0 {
		t.Errorf("not done: %q", c.turns)
	}
}

// A talk is a dialogue and how it ends.
type talk struct {
	name  string
	talk  string
	err   error
	stage Stage
	plain string // what a plain connection begins with; "" where there is none, "-" where that is nothing
}

var (
	ourClient = clientTerms{host: "server.test", name: "client.test"}
	ourServer = serverTerms{host: "server.test"}
)

func named(t *testing.T, name string) protocol {
	t.Helper()
	for _, p := range protocols() {
		if p.name == name {
			return p
		}
	}
	t.Fatalf("no protocol %s", name)
	return protocol{}
}

// asClient has our client speak, by whole answers and by single bytes, which makes no difference but where bytes come
// behind the go-ahead.
func asClient(t *testing.T, proto string, talks []talk) {
	t.Helper()
	for _, tc := range talks {
		for _, slow := range []bool{false, true} {
			if slow && errors.Is(tc.err, ErrInjection) {
				continue
			}
			t.Run(fmt.Sprintf("%s slow=%v", tc.name, slow), func(t *testing.T) {
				conn := play(tc.talk, true)
				conn.left = slow
				d := newDialogue(conn, proto)
				err := named(t, proto).client(d, ourClient)
				if err == nil {
					err = d.clean()
				}
				tc.check(t, d, err)
				conn.over(t)
			})
		}
	}
}

func asServer(t *testing.T, proto string, terms serverTerms, talks []talk) {
	t.Helper()
	for _, tc := range talks {
		t.Run(tc.name, func(t *testing.T) {
			conn := play(tc.talk, false)
			d := newDialogue(conn, proto)
			err := named(t, proto).server(d, terms)
			if err == nil {
				err = d.clean()
			}
			tc.check(t, d, err)
			conn.over(t)
		})
	}
}

func (tc talk) check(t *testing.T, d *dialogue, err error) {
	t.Helper()
	if !errors.Is(err, tc.err) {
		t.Fatalf("the error is %v, wanted %v", err, tc.err)
	}
	if tc.err == nil {
		return
	}
	var failed *Error
	if !errors.As(err, &failed) || failed.Stage != tc.stage || failed.Protocol != d.protocol {
		t.Errorf("%v: %+v, wanted stage %q", err, failed, tc.stage)
	}
	if text := err.Error(); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) { // ST-22
		t.Errorf("the error is not printable: %q", text)
	}
	plain := ""
	if conn, ok := d.plain(err); ok {
		text, _ := io.ReadAll(conn)
		if plain = string(text); plain == "" {
			plain = "-"
		}
	}
	if plain != tc.plain {
		t.Errorf("a plain connection begins with %q, wanted %q", plain, tc.plain)
	}
}

// many is a line n times.
func many(n int, line string) string { return strings.Repeat(line+"\n", n) }
