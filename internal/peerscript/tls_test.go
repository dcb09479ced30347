package peerscript

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
)

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
