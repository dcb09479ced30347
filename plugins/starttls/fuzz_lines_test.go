package starttls

import (
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A fuzzConn says something, in pieces of a size, whatever is written to it.
type fuzzConn struct {
	net.Conn
	in    string
	piece int
	out   strings.Builder
	given int
}

func (c *fuzzConn) Read(b []byte) (int, error) {
	if c.in == "" {
		return 0, io.EOF
	}
	n := copy(b, c.in[:min(c.piece, len(c.in))])
	c.in, c.given = c.in[n:], c.given+n
	return n, nil
}

func (c *fuzzConn) Write(b []byte) (int, error)      { return c.out.Write(b) }
func (c *fuzzConn) SetDeadline(time.Time) error      { return nil }
func (c *fuzzConn) SetReadDeadline(time.Time) error  { return nil }
func (c *fuzzConn) SetWriteDeadline(time.Time) error { return nil }
func (c *fuzzConn) Close() error                     { return nil }

// A lineFuzz is what holds for any peer of a protocol of lines: no panic, no more read than the limit, an error of ours that is
// printable, and success only where the last that was read was the go-ahead, or the request, and nothing is behind it.
type lineFuzz struct {
	proto  string
	client bool
	last   string   // regular expression of the last line
	asked  string   // what our client has to have said
	seeds  []string // what peers say
}

func (f lineFuzz) run(fz *testing.F) {
	for _, seed := range f.seeds {
		fz.Add(strings.ReplaceAll(seed, "\n", "\r\n"), 4096)
		fz.Add(strings.ReplaceAll(seed, "\n", "\r\n")+"x", 7)
		fz.Add(seed, 1)
	}
	last := regexp.MustCompile(`(?i)(?s)(?:^|.*\n)` + f.last + `\r\n$`)
	fz.Fuzz(func(t *testing.T, in string, piece int) {
		conn := &fuzzConn{in: in, piece: max(1, min(piece, maxLine))}
		d := newDialogue(conn, f.proto)
		err := f.speak(t, d, piece%2 == 0)
		if conn.given > maxDialogue {
			t.Errorf("read %d bytes", conn.given)
		}
		if err != nil {
			f.checkError(t, err)
			return
		}
		if said := in[:conn.given]; !last.MatchString(said) || string(d.spoken) != said {
			t.Errorf("TLS after %q, of which %q was consumed", said, d.spoken)
		}
		if !strings.HasSuffix(conn.out.String(), f.asked) {
			t.Errorf("TLS after we said %q", conn.out.String())
		}
	})
}

func (f lineFuzz) speak(t *testing.T, d *dialogue, plain bool) error {
	p := named(t, f.proto)
	err := error(nil)
	if f.client {
		err = p.client(d, ourClient)
	} else {
		err = p.server(d, serverTerms{host: "server.test", capabilities: []string{"X"}, plain: plain})
	}
	if err == nil {
		err = d.clean()
	}
	return err
}

func (f lineFuzz) checkError(t *testing.T, err error) {
	var failed *Error
	if !errors.As(err, &failed) || len(failed.Reply) > maxReply {
		t.Errorf("the error is %#v", err)
	}
	if text := err.Error(); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("the error is not printable: %q", text)
	}
}

func FuzzSMTPClient(f *testing.F) {
	lineFuzz{"smtp", true, `220( [^\r\n]*)?`, "STARTTLS\r\n", []string{
		"220 x\n250-x\n250 STARTTLS\n220 go\n", "220-x\n220 x\n250 x\n", "220 x\n502 x\n", "421 x\n", "220 x\n250-x\n220 y\n",
	}}.run(f)
}

func FuzzPOP3Client(f *testing.F) {
	lineFuzz{"pop3", true, `\+OK( [^\r\n]*)?`, "STLS\r\n", []string{"+OK\n+OK\nSTLS\n.\n+OK\n", "+OK <1@x>\n-ERR\n", "+OK\n+OK\n..\n.\n", "-ERR\n"}}.run(f)
}

func FuzzIMAPClient(f *testing.F) {
	lineFuzz{"imap", true, `a2 OK( [^\r\n]*)?`, "a2 STARTTLS\r\n", []string{
		"* OK x\n* CAPABILITY STARTTLS\na1 OK\na2 OK\n", "* OK [CAPABILITY STARTTLS] x\na2 OK\n", "* PREAUTH x\n", "* BYE\n",
		"* OK\n* LIST {3}\nabc\na1 NO\n", "* OK\n* OK [ALERT] x\n* CAPABILITY STARTTLS\na1 OK\na2 BAD\n",
	}}.run(f)
}

func FuzzNNTPClient(f *testing.F) {
	lineFuzz{"nntp", true, `382( [^\r\n]*)?`, "STARTTLS\r\n", []string{"200 x\n101 x\nVERSION 2\nSTARTTLS\n.\n382 x\n", "201\n500\n", "400 x\n", "200\n101\n..\n.\n"}}.run(f)
}

func FuzzSieveClient(f *testing.F) {
	lineFuzz{"sieve", true, `OK[^\r\n]*(\{[0-9]{1,4}\}\r\n.*)?`, "STARTTLS\r\n", []string{
		"\"STARTTLS\"\nOK\nOK\n", "{8}\nSTARTTLS\nOK (TAG \"x\") \"y\"\nOK {2}\nab\n", "\"A\" \"b\\\"\"\nOK\n", "BYE (REFERRAL \"x\")\n", "NO\n",
	}}.run(f)
}

func FuzzFTPClient(f *testing.F) {
	lineFuzz{"ftp", true, `234( [^\r\n]*)?`, "AUTH TLS\r\n", []string{"220 x\n234 x\n", "220-x\ny\n220 x\n504 x\n", "120 x\n220 x\n234-x\n\n234\n", "421 x\n"}}.run(f)
}

func FuzzIRCClient(f *testing.F) {
	lineFuzz{"irc", true, `(:[^ \r\n]* )?670[^\r\n]*`, "STARTTLS\r\n", []string{":x NOTICE * :y\n:x 670 * :z\n", ":x 691 * :y\n", "PING :x\n421 x\n", "ERROR :x\n"}}.run(f)
}

func FuzzSMTPServer(f *testing.F) {
	lineFuzz{"smtp", false, `STARTTLS ?`, "220 Ready to start TLS\r\n", []string{"EHLO x\nSTARTTLS\n", "NOOP\nQUIT\n", "MAIL FROM:<>\n", "STARTTLS x\nSTARTTLS\n"}}.run(f)
}

func FuzzPOP3Server(f *testing.F) {
	lineFuzz{"pop3", false, `STLS`, "+OK Begin TLS negotiation\r\n", []string{"CAPA\nSTLS\n", "USER x\n", "QUIT\n"}}.run(f)
}

func FuzzIMAPServer(f *testing.F) {
	lineFuzz{"imap", false, `[^ \r\n]+ STARTTLS`, " OK Begin TLS negotiation now\r\n", []string{"a CAPABILITY\nb STARTTLS\n", "a LOGIN {2+}\nxy z\n", "a LOGIN {2}\n", "a LOGOUT\n", "\n+ x\n"}}.run(f)
}

func FuzzNNTPServer(f *testing.F) {
	lineFuzz{"nntp", false, `STARTTLS *`, "382 Continue with TLS negotiation\r\n", []string{"CAPABILITIES\nSTARTTLS\n", "MODE READER\n", "QUIT\n"}}.run(f)
}

func FuzzSieveServer(f *testing.F) {
	lineFuzz{"sieve", false, `STARTTLS`, "OK \"Begin TLS negotiation now\"\r\n", []string{"CAPABILITY\nSTARTTLS\n", "AUTHENTICATE \"PLAIN\" {3+}\nabc\n", "LOGOUT\n"}}.run(f)
}

func FuzzFTPServer(f *testing.F) {
	lineFuzz{"ftp", false, `AUTH TLS(-C)?`, "234 Proceed with TLS negotiation\r\n", []string{"FEAT\nAUTH SSL\nAUTH TLS\n", "USER x\n", "QUIT\n"}}.run(f)
}

func FuzzIRCServer(f *testing.F) {
	lineFuzz{"irc", false, `STARTTLS[^\r\n]*`, "670 * :STARTTLS successful, proceed with TLS handshake\r\n", []string{"CAP LS 302\nCAP REQ :tls\nCAP END\nSTARTTLS\n", "NICK x\n", "PING x\nQUIT\n", "\n"}}.run(f)
}
