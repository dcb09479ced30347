package starttls

import (
	"strings"
	"testing"
)

// No more round trips than the protocol demands, and one write a step.
func TestRoundTripsOfTheClient(t *testing.T) {
	for _, tc := range []struct {
		name, proto, talk string
		rounds            int
	}{
		{"smtp", "smtp", "< 220 x\n> EHLO client.test\n< 250-x\n< 250 STARTTLS\n> STARTTLS\n< 220 go\n", 2},
		{"lmtp", "lmtp", "< 220 x\n> LHLO client.test\n< 250-x\n< 250 STARTTLS\n> STARTTLS\n< 220 go\n", 2},
		{"pop3", "pop3", "< +OK\n> CAPA\n< +OK\n< STLS\n< .\n> STLS\n< +OK\n", 2},
		{"imap", "imap", "< * OK x\n> a1 CAPABILITY\n< * CAPABILITY STARTTLS\n< a1 OK x\n> a2 STARTTLS\n< a2 OK go\n", 2},
		{"imap whose greeting offers", "imap", "< * OK [CAPABILITY STARTTLS] x\n> a2 STARTTLS\n< a2 OK go\n", 1},
		{"nntp", "nntp", "< 200\n> CAPABILITIES\n< 101\n< STARTTLS\n< .\n> STARTTLS\n< 382\n", 2},
		{"sieve", "sieve", "< \"STARTTLS\"\n< OK\n> STARTTLS\n< OK\n", 1},
		{"ftp", "ftp", "< 220 x\n> AUTH TLS\n< 234 go\n", 1},
		{"irc", "irc", "> STARTTLS\n< :x 670 * :go\n", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn := play(tc.talk, true)
			if err := named(t, tc.proto).client(newDialogue(conn, tc.proto), ourClient); err != nil {
				t.Fatal(err)
			}
			conn.over(t)
			if conn.rounds != tc.rounds || conn.writes != tc.rounds {
				t.Errorf("%d round trips, %d writes; wanted %d of each", conn.rounds, conn.writes, tc.rounds)
			}
		})
	}
}

// The server too writes once a step, however many lines that has.
func TestWritesOfTheServer(t *testing.T) {
	for proto, said := range map[string][]string{
		"smtp":  {"EHLO x", "NOOP", "STARTTLS"},
		"lmtp":  {"LHLO x", "NOOP", "STARTTLS"},
		"pop3":  {"CAPA", "NOOP", "STLS"},
		"imap":  {"a CAPABILITY", "b NOOP", "c STARTTLS"},
		"nntp":  {"CAPABILITIES", "HELP", "STARTTLS"},
		"sieve": {"CAPABILITY", "NOOP", "STARTTLS"},
		"ftp":   {"FEAT", "NOOP", "AUTH TLS"},
		"irc":   {"CAP LS", "PING x", "STARTTLS"},
	} {
		t.Run(proto, func(t *testing.T) {
			conn := &countingConn{in: said}
			if err := named(t, proto).server(newDialogue(conn, proto), ourServer); err != nil {
				t.Fatal(err)
			}
			want := len(said) + 1
			if proto == "irc" { // without a greeting
				want--
			}
			if len(conn.out) != want {
				t.Errorf("%d writes, wanted %d: %q", len(conn.out), want, conn.out)
			}
			for _, text := range conn.out {
				if !strings.HasSuffix(text, "\r\n") {
					t.Errorf("%q is not whole lines", text)
				}
			}
		})
	}
}

// A countingConn gives a line for each Read, and keeps what is written.
type countingConn struct {
	scriptedConn
	in, out []string
}

func (c *countingConn) Read(b []byte) (int, error) {
	line := c.in[0] + "\r\n"
	c.in = c.in[1:]
	return copy(b, line), nil
}

func (c *countingConn) Write(b []byte) (int, error) {
	c.out = append(c.out, string(b))
	return len(b), nil
}
