package peerscript

import (
	"bufio"
	"fmt"
	"io"
	"net"
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
