package peerscript

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
