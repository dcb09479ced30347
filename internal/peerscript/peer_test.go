package peerscript

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connect returns the two ends of a connection.
type connect func(t *testing.T) (near, far net.Conn)

func pipe(*testing.T) (near, far net.Conn) { return Pipe() }

func loopback(t *testing.T) (near, far net.Conn) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if near, err = net.Dial("tcp4", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

// play plays a script to what f does on the other end of the connection.
func play(t *testing.T, certs *Certs, script string, dial connect, f func(net.Conn)) *Result {
	t.Helper()
	s, err := Parse(script)
	if err != nil {
		t.Fatal(err)
	}
	near, far := dial(t)
	_ = near.SetDeadline(time.Now().Add(20 * time.Second))
	done := make(chan *Result)
	go func() { done <- Peer{Certs: certs, Deadline: 10 * time.Second}.play(far, s) }()
	f(near)
	_ = near.Close()
	return <-done
}

// say writes texts and reads a line as an answer to each but the last.
func say(texts ...string) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for i, text := range texts {
			if i > 0 {
				_, _ = r.ReadString('\n')
			}
			_, _ = io.WriteString(c, text)
		}
	}
}

func ask(c net.Conn, text string) {
	_, _ = io.WriteString(c, text)
	_, _ = c.Read(make([]byte, 64))
}

func TestSteps(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		do           func(net.Conn)
		plain        string
		fault        string // a part of the error
	}{
		{"a line by its beginning", `expect "EHLO "`, say("EHLO x\r\n"), "EHLO x\r\n", ""},
		{"another line", `expect "EHLO "`, say("HELO x\r\n"), "HELO x\r\n", `line 1: expect "EHLO ": "HELO x" came`},
		{"a bare LF", `expect "EHLO "`, say("EHLO x\n"), "EHLO x\n", "does not end in CRLF"},
		{"half a line", `expect "EHLO "`, func(c net.Conn) { _, _ = io.WriteString(c, "EHL") }, "EHL", `closed the connection; before that came "EHL"`},
		{"a line by expression", `expect /E[H]LO \S+/`, say("EHLO x\r\n"), "EHLO x\r\n", ""},
		{"an expression is for the whole line", `expect /EHLO/`, say("EHLO x\r\n"), "EHLO x\r\n", "came"},
		{"a slash in an expression", `expect /a\/b/`, say("a/b\r\n"), "a/b\r\n", ""},
		{"a tag that comes back", "expect /(?P<tag>\\w+) NOOP/\nsend \"${tag} OK\\r\\n\"\nexpect \"a7 OK\"", func(c net.Conn) {
			_, _ = io.WriteString(c, "a7 NOOP\r\n")
			line, _ := bufio.NewReader(c).ReadString('\n')
			_, _ = io.WriteString(c, line)
		}, "a7 NOOP\r\na7 OK\r\n", ""},
		{"bytes", "expect 0x0001\nexpect-exact \"\\x02\" 0x03\nexpect-bytes 2", say("\x00\x01\x02\x03\x04\x05"), "\x00\x01\x02\x03\x04\x05", ""},
		{"wrong bytes", "expect 0x0001", say("\x00\x02"), "\x00\x02", `"\x00\x02" came`},
		{"a text", `until "</a>"`, say("<a></a>"), "<a></a>", ""},
		{"lines", `until-line /\./`, say("+OK\r\nSTLS\r\n.\r\n"), "+OK\r\nSTLS\r\n.\r\n", ""},
		{"an element of BER", `ber 0x020101`, say("\x30\x05\x02\x01\x01\x42\x00"), "\x30\x05\x02\x01\x01\x42\x00", ""},
		{"an element with a long length", `ber`, say("\x30\x82\x00\x03abc"), "\x30\x82\x00\x03abc", ""},
		{"a packet", `packet`, say("\x03\x00\x00\x00abc"), "\x03\x00\x00\x00abc", ""},
		{"what comes behind the last step is on record", `send "\r\n"`, say("x", "y"), "xy", ""},
		{"plain text where none may be", "expect \"STARTTLS\"\nno-plaintext", say("STARTTLS\r\nQUIT\r\n"), "STARTTLS\r\nQUIT\r\n", `"QUIT\r\n"`},
		{"nothing but the end", "expect \"a\"\neof", say("a\r\n"), "a\r\n", ""},
		{"more than the end", "expect \"a\"\neof", say("a\r\nb"), "a\r\nb", `"b" came`},
		{"no hello", "hello", say("EHLO\r\n"), "EHLO\r\n", "came"},
		{"an early end that is allowed", "may-close\nexpect \"EHLO\"\nexpect \"x\"", say("EHLO\r\n"), "EHLO\r\n", ""},
		{"other faults are not", "may-close\nexpect \"EHLO\"", say("HELO\r\n"), "HELO\r\n", "came"},
		{"a close", "expect \"a\"\nclose", say("a\r\n"), "a\r\n", ""},
		{"an end of one direction", "half-close\nexpect \"a\"", func(c net.Conn) {
			_, _ = io.ReadAll(c)
			_, _ = io.WriteString(c, "a\r\n")
		}, "a\r\n", ""},
		{"TLS without certificates", "tls", say(), "", "has no certificates"},
	} {
		for name, dial := range map[string]connect{"pipe": pipe, "loopback": loopback} {
			t.Run(tc.name+"/"+name, func(t *testing.T) {
				r := play(t, nil, tc.script, dial, tc.do)
				if string(r.Plain) != tc.plain {
					t.Errorf("on record is %q, want %q", r.Plain, tc.plain)
				}
				if got := fmt.Sprint(r.Err); (r.Err != nil) != (tc.fault != "") || !strings.Contains(got, tc.fault) {
					t.Errorf("%v, want %q", r.Err, tc.fault)
				}
				if r.Hello || r.Records != 0 || r.Late != nil {
					t.Errorf("TLS on record: %+v", r)
				}
			})
		}
	}
}

func TestWhatIsWritten(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		want         []string // what each read gives
	}{
		{"at once", `send "a\r\n" 0x00ff`, []string{"a\r\n\x00\xff"}},
		{"in pieces", `split "abcde" 2`, []string{"ab", "cd", "e"}},
		{"over and over", `repeat 3 "x\r\n"`, []string{"x\r\n", "x\r\n", "x\r\n"}},
		{"drop by drop", `drip "abc" 1ms`, []string{"a", "b", "c"}},
		{"with a pause", "send \"a\"\ndelay 1ms\nsend \"b\"", []string{"a", "b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := play(t, nil, tc.script, pipe, func(c net.Conn) {
				for _, want := range tc.want {
					b := make([]byte, 64)
					if n, err := c.Read(b); err != nil || string(b[:n]) != want {
						t.Errorf("%q, %v; want %q", b[:n], err, want)
					}
				}
			})
			if r.Err != nil || !r.Closed {
				t.Errorf("%+v", r)
			}
		})
	}
}

// Endless replies end when the other side has gone.
func TestEndlessRepliesEnd(t *testing.T) {
	for _, script := range []string{`repeat 1000000000 "250-x\r\n"`, `drip "` + strings.Repeat("x", 60000) + `" 1µs`} {
		r := play(t, nil, script, pipe, func(c net.Conn) { _, _ = c.Read(make([]byte, 10)) })
		if r.Err != nil || !r.Closed {
			t.Errorf("%.20s: %+v", script, r)
		}
	}
}

// A script has an end, whatever the other side does, and in a bubble it costs no time.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tc := range []struct{ script, fault string }{
			{`silent`, ""},
			{`eof`, "did not close"},
			{`expect "x"`, "timeout"},
			{`repeat 1000000 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"`, ""},
		} {
			s, err := Parse(tc.script)
			if err != nil {
				t.Fatal(err)
			}
			near, far := Pipe()
			r := Peer{}.play(far, s)
			if r.Closed || r.Took != 30*time.Second || (r.Err != nil) != (tc.fault != "") || r.Err != nil && !strings.Contains(r.Err.Error(), tc.fault) {
				t.Errorf("%s: %+v", tc.script, r)
			}
			_ = near.Close()
		}
	})
}

func trusting(certs *Certs) *tls.Config {
	return &tls.Config{ServerName: Host, RootCAs: certs.trusted.Pool(), NextProtos: []string{"smtp"}}
}

// The record tells plain text from TLS, and what is said inside TLS from both.
func TestTLSServer(t *testing.T) {
	certs := NewCerts(t)
	for name, dial := range map[string]connect{"pipe": pipe, "loopback": loopback} {
		t.Run(name, func(t *testing.T) {
			script := "expect \"STARTTLS\"\nsend \"220\\r\\n\"\nno-plaintext\ntls\nexpect \"EHLO\"\nsend \"250\\r\\n\"\nsilent"
			r := play(t, certs, script, dial, func(c net.Conn) {
				ask(c, "STARTTLS\r\n")
				secure := tls.Client(c, trusting(certs))
				say("EHLO x\r\n", "QUIT\r\n")(secure)
				_ = secure.Close()
			})
			if r.Err != nil || string(r.Plain) != "STARTTLS\r\n" || string(r.App) != "EHLO x\r\nQUIT\r\n" || !r.Hello || !r.Closed || r.TLS == nil {
				t.Errorf("%+v", r)
			}
		})
	}
}

// A client that goes on in plain text, before or behind its hello, is found out.
func TestPlainTextIsFoundOut(t *testing.T) {
	certs := NewCerts(t)
	script := "expect \"STARTTLS\"\nsend \"220\\r\\n\"\nno-plaintext\ntls fails"
	for name, do := range map[string]func(net.Conn){
		"in place of TLS": func(c net.Conn) { say("STARTTLS\r\n", "MAIL\r\n")(c) },
		"behind the hello": func(c net.Conn) {
			ask(c, "STARTTLS\r\n")
			spy := &helloOnly{Conn: c}
			_ = tls.Client(spy, trusting(certs)).Handshake()
			_, _ = io.WriteString(c, "MAIL\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, certs, script, pipe, do)
			if r.Err == nil || string(r.Plain) != "STARTTLS\r\nMAIL\r\n" || r.TLSErr == nil {
				t.Errorf("%+v", r)
			}
			if late := string(r.Late); r.Hello != (late == "MAIL\r\n") {
				t.Errorf("hello %t, late %q", r.Hello, late)
			}
			if r.Hello && len((&Want{Outcome: "error"}).Faults(r)) != 1 {
				t.Error("plain text behind TLS is no fault")
			}
		})
	}
}

// helloOnly lets a client write its hello and read nothing.
type helloOnly struct{ net.Conn }

func (helloOnly) Read([]byte) (int, error) { return 0, errors.New("enough") }

// An alert is no plain text, and neither is a record that comes in pieces.
func TestRecordInPieces(t *testing.T) {
	var r record
	for _, b := range []byte("A\x16\x03\x01\x00\x02ab\x15\x03\x03\x00\x01cB\x16\x03C\x16\x03\x01\xff\xff") {
		r.add([]byte{b})
	}
	r.end()
	if string(r.plain) != "AB\x16\x03C\x16\x03\x01\xff\xff" || r.records != 2 || !r.hello || string(r.late) != string(r.plain[1:]) {
		t.Errorf("%+v", r)
	}
}

func TestKindsOfCertificates(t *testing.T) {
	certs := NewCerts(t)
	for _, tc := range []struct{ words, fault string }{
		{"", ""},
		{"alpn=smtp", ""},
		{"tls1.2", ""},
		{"expired fails", "expired"},
		{"not-yet fails", "not yet valid"},
		{"other-name fails", "other.test, not mx.test"},
		{"hostile-name fails", "\x1b[2J"},
		{"common-name fails", "Common Name"},
		{"self-signed fails", "unknown authority"},
		{"other-root fails", "unknown authority"},
		{"client-only fails", "incompatible key usage"},
		{"tls1.0 fails", "protocol version"},
		{"alpn=h2 fails", "no application protocol"},
	} {
		t.Run(tc.words, func(t *testing.T) {
			// The same in a bubble, in the year 2000.
			real := func(t *testing.T) {
				var err error
				r := play(t, certs, "tls "+tc.words, pipe, func(c net.Conn) { err = tls.Client(c, trusting(certs)).Handshake() })
				if r.Err != nil || (r.TLS == nil) != (tc.fault != "") {
					t.Errorf("%+v", r)
				}
				if (err != nil) != (tc.fault != "") || err != nil && !strings.Contains(err.Error(), tc.fault) {
					t.Errorf("the client says %v, want %q", err, tc.fault)
				}
			}
			real(t)
			synctest.Test(t, real)
		})
	}
}

func TestTLSClient(t *testing.T) {
	certs := NewCerts(t)
	pair, err := tls.LoadX509KeyPair(filepath.Join(certs.Dir, "cert.pem"), filepath.Join(certs.Dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		words, prefix string
		config        *tls.Config
	}{
		{words: "alpn=smtp"},
		{words: "tls1.1 fails"},
		{words: "name=x.test fails"},
		{words: `prefix=0x414243`, prefix: "ABC"},
		{words: "alpn=http/1.1 fails", config: &tls.Config{NextProtos: []string{"smtp"}}},
		{words: "fails", config: &tls.Config{VerifyConnection: func(tls.ConnectionState) error { return errors.New("no") }}},
	} {
		t.Run(tc.words, func(t *testing.T) {
			config := tc.config
			if config == nil {
				config = &tls.Config{NextProtos: []string{"smtp"}}
			}
			config.Certificates = []tls.Certificate{pair}
			r := play(t, certs, "tls-client "+tc.words, pipe, func(c net.Conn) {
				first := make([]byte, len(tc.prefix))
				if _, err := io.ReadFull(c, first); err != nil || string(first) != tc.prefix {
					t.Errorf("first comes %q, %v", first, err)
				}
				_ = tls.Server(c, config).Handshake()
			})
			if r.Err != nil || (r.TLS == nil) != strings.Contains(tc.words, "fails") || len(r.Plain) > 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestReadingScripts(t *testing.T) {
	for _, tc := range []struct{ script, fault string }{
		{"# nothing\n\n  send \"a\" # a comment", ""},
		{"\n\nspend 1", "line 3: no step is called spend"},
		{"send", "no bytes"},
		{"send x", "neither a quoted string nor hex digits"},
		{"send 0x1", "odd length"},
		{`send "x`, "invalid syntax"},
		{`send "x""y"`, "no space"},
		{`split "x" 0`, "no number"},
		{`drip "x" fast`, "invalid duration"},
		{"expect", "takes what is expected"},
		{"expect /(/", "missing closing"},
		{"expect /a", "no slash at the end"},
		{"until-line x", "neither"},
		{`until-line "x"`, "takes an expression"},
		{"delay", "takes a duration"},
		{"eof 1", "takes nothing"},
		{"tls perfect", "no word perfect"},
	} {
		_, err := Parse(tc.script)
		if got := fmt.Sprint(err); (err != nil) != (tc.fault != "") || err != nil && !strings.Contains(got, tc.fault) {
			t.Errorf("%q: %v, want %q", tc.script, err, tc.fault)
		}
	}
}

const whole = `Bytes behind the go-ahead. # ST-01 ST-06
-- string --
proto=smtp

greeting=a b
-- peer --
send "220 x\r\n"
-- want --
error stage=upgrade|handshake is=injection contains="a b" lacks="\x1b"
plaintext "EHLO localhost\r\n" 0x41
no-hello
closed
within 10s
alpn smtp
write "x"
read "y"
`

func TestReadingCases(t *testing.T) {
	c, err := ParseCase([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	w := c.Want
	w.Plaintext = nil
	if got, want := fmt.Sprint(c.IDs, c.Params, w), "[[ST-01 ST-06] [proto=smtp greeting=a b] {error [upgrade handshake] [injection] [a b] [\x1b] [] <nil> false true true 10s [{true [120]} {false [121]}] smtp}]"; "["+strings.ReplaceAll(got, "] [proto", "] [proto")+"]" != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if string(c.Want.Plaintext) != "EHLO localhost\r\nA" {
		t.Errorf("%q", c.Want.Plaintext)
	}
	for _, tc := range []struct{ old, new, fault string }{
		{"-- want --\nerror", "-- want --\nfail", "nothing to want is called fail"},
		{"is=", "like=", "one can't say like"},
		{`contains="a b"`, `contains=a`, "neither"},
		{"-- peer --", "-- piers --", "no section"},
		{"-- peer --\n", "", "no peer"},
		{"proto=smtp\n\ngreeting=a b\n", "", "no string"},
		{"send", "sand", "line 1: no step"},
		{"error stage=upgrade|handshake is=injection contains=\"a b\" lacks=\"\\x1b\"\n", "", "no outcome"},
		{"error stage", "ok stage", "ok takes nothing"},
	} {
		_, err := ParseCase([]byte(strings.Replace(whole, tc.old, tc.new, 1)))
		if err == nil || !strings.Contains(err.Error(), tc.fault) {
			t.Errorf("%s: %v, want %q", tc.new, err, tc.fault)
		}
	}
	file := filepath.Join(t.TempDir(), "x.txtar")
	if _, err := ReadCase(file); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadCase(file); err == nil || !strings.HasPrefix(err.Error(), file) {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	good := Result{Plain: []byte("EHLO\r\n"), Closed: true}
	up := &tls.ConnectionState{NegotiatedProtocol: "smtp"}
	for _, tc := range []struct {
		want   Want
		r      Result
		faults int
	}{
		{Want{Outcome: "error", Plaintext: []byte("EHLO\r\n"), NoHello: true, Closed: true}, good, 0},
		{Want{Outcome: "error", Plaintext: []byte{}}, good, 1},
		{Want{Outcome: "error", Hello: true}, good, 1},
		{Want{Outcome: "error", NoHello: true, Closed: true}, Result{Hello: true}, 2},
		{Want{Outcome: "ok"}, good, 1},
		{Want{Outcome: "ok", ALPN: "smtp"}, Result{TLS: up}, 0},
		{Want{Outcome: "ok", ALPN: "imap"}, Result{TLS: up}, 1},
		{Want{Outcome: "plain"}, Result{TLS: up}, 1},
		{Want{Outcome: "error"}, Result{Late: []byte("x")}, 1},
	} {
		if faults := tc.want.Faults(&tc.r); len(faults) != tc.faults {
			t.Errorf("%+v, %+v: %q", tc.want, tc.r, faults)
		}
	}
}

// Run reports what goes wrong to the test.
func TestRunReports(t *testing.T) {
	s, err := Parse(`expect "x"`)
	if err != nil {
		t.Fatal(err)
	}
	near, far := Pipe()
	_ = near.Close()
	fake := &fakeT{TB: t}
	if r := (Peer{}).Run(fake, far, s); r.Err == nil || len(fake.errors) != 1 {
		t.Errorf("%+v, %q", r, fake.errors)
	}
}

type fakeT struct {
	testing.TB
	errors []string
}

func (f *fakeT) Helper() {}
func (f *fakeT) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}
