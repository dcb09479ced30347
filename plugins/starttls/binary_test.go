package starttls

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// An exchange is a dialogue in bytes, and how it ends. A turn is what our side has to say, and what the peer says to that;
// where the peer begins, the first one has nothing to say.
type exchange struct {
	name  string
	turns []turn
	err   error
	stage Stage
	plain string // as in talk
}

// long reports whether the peer says more than is worth to be read by single bytes.
func (e exchange) long() bool {
	n := 0
	for _, turn := range e.turns {
		n += len(turn.answer)
	}
	return n > 2*maxLine
}

// A maskedConn is a connection on which what is random is the same every time.
type maskedConn struct {
	*scriptedConn
	mask func(string) string
}

func (c maskedConn) Write(b []byte) (int, error) {
	_, err := c.scriptedConn.Write([]byte(c.mask(string(b))))
	return len(b), err
}

func unmasked(s string) string { return s }

// exchangeAll has one side of a protocol play the exchanges, by whole answers and by single bytes. That makes no
// difference but where bytes come behind the last one, which may then be left to TLS.
func exchangeAll(t *testing.T, proto string, side func(*dialogue) error, mask func(string) string, tests []exchange) {
	t.Helper()
	for _, tc := range tests {
		for _, slow := range []bool{false, true} {
			if slow && (errors.Is(tc.err, ErrInjection) || tc.long()) {
				continue
			}
			t.Run(fmt.Sprintf("%s slow=%v", tc.name, slow), func(t *testing.T) {
				conn := &scriptedConn{turns: slices.Clone(tc.turns), left: slow}
				conn.next("")
				d := newDialogue(maskedConn{conn, mask}, proto)
				err := side(d)
				if err == nil && !d.direct {
					err = d.clean()
				}
				talk{err: tc.err, stage: tc.stage, plain: tc.plain}.check(t, d, err)
				conn.over(t)
			})
		}
	}
}

// clientOf is the client's side of a protocol, serverOf the server's.
func clientOf(t *testing.T, proto string) func(*dialogue) error {
	t.Helper()
	p := named(t, proto)
	return func(d *dialogue) error { return p.client(d, ourClient) }
}

func serverOf(t *testing.T, proto string, change func(*serverTerms)) func(*dialogue) error {
	t.Helper()
	p, terms := named(t, proto), ourServer
	if change != nil {
		change(&terms)
	}
	return func(d *dialogue) error { return p.server(d, terms) }
}

func plainToo(t *serverTerms)  { t.plain = true }
func directToo(t *serverTerms) { t.direct = true }

// bytesOf makes bytes of hex, in which there may be spaces and text in quotes.
func bytesOf(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(s, `"`) {
		if i%2 == 1 {
			b.WriteString(part)
			continue
		}
		raw, err := hex.DecodeString(strings.Join(strings.Fields(part), ""))
		if err != nil {
			panic(err)
		}
		b.Write(raw)
	}
	return b.String()
}

// The dialogues take no more round trips than the protocols demand, and one write a step.
func TestRoundTrips(t *testing.T) {
	const follows = "fffa2e01fff0"
	for _, tc := range []struct {
		proto          string
		turns          []turn
		rounds, writes int
	}{
		{"ldap", []turn{{ldapRequestBytes, ldapGoAhead}}, 1, 1},
		{"postgres", []turn{{sslRequest, "S"}}, 1, 1},
		{"mysql", []turn{{"", mysqlHello("8.0.1", 0)}, {mysqlAsk, ""}}, 0, 1},
		{"telnet", []turn{{"", bytesOf("fffd2e")}, {bytesOf("fffb2e" + follows), bytesOf(follows)}}, 1, 1},
		{"xmpp", []turn{{xmppOpen, xmppHello + xmppFeatures}, {xmppStart, xmppGo}}, 2, 2},
	} {
		t.Run(tc.proto, func(t *testing.T) {
			conn := &scriptedConn{turns: tc.turns}
			conn.next("")
			if err := clientOf(t, tc.proto)(newDialogue(conn, tc.proto)); err != nil {
				t.Fatal(err)
			}
			conn.over(t)
			if conn.rounds != tc.rounds || conn.writes != tc.writes {
				t.Errorf("%d round trips and %d writes, wanted %d and %d", conn.rounds, conn.writes, tc.rounds, tc.writes)
			}
		})
	}
}
