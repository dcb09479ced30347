package starttls

import (
	"bytes"
	"strings"
	"testing"
)

// mysqlAsk is the SSLRequest of our client.
var mysqlAsk = bytesOf("20000001 05aa0800 00000001 2d") + strings.Repeat("\x00", 23)

// mysqlHello is a greeting like those of MySQL and MariaDB; without takes capabilities away.
func mysqlHello(version string, without uint16) string {
	low := 0xfffe &^ without
	return mysqlPlain(0, "\x0a"+version+"\x00"+bytesOf(`07000000 "abcdefgh" 00`)+string([]byte{byte(low), byte(low >> 8)})+
		bytesOf(`2d 0200 ff81 15 00000000000000000000 "ijklmnopqrst" 00 "mysql_native_password" 00`))
}

func mysqlPlain(sequence byte, payload string) string {
	return string(mysqlFrame(sequence, []byte(payload)))
}

func TestMySQLClient(t *testing.T) {
	hello := mysqlHello("8.0.36", 0)
	payload := hello[4:]
	says := func(greeting string) []turn { return []turn{{"", greeting}} }
	blocked := mysqlPlain(0, bytesOf(`ff 6a04 "Host '10.0.0.1' is not allowed to connect"`))
	// cut is the greeting with a payload that ends early.
	cut := func(n int) string { return mysqlPlain(0, payload[:n]) }
	tests := []exchange{
		{"an offer", []turn{{"", hello}, {mysqlAsk, ""}}, nil, "", ""},
		{"MariaDB", []turn{{"", mysqlHello("5.5.5-10.11.6-MariaDB", 0)}, {mysqlAsk, ""}}, nil, "", ""},
		{"no name of a version", []turn{{"", mysqlHello("", 0)}, {mysqlAsk, ""}}, nil, "", ""},
		{"no scramble of 4.1", []turn{{"", mysqlPlain(0, cut(39)[4:25]+"\x00\x0a"+payload[24:39])}}, ErrProtocol, StageGreeting, ""},
		// ST-01
		{"a byte behind the greeting", says(hello + "\x16"), ErrInjection, StageGreeting, ""},
		{"an OK packet behind the greeting", says(hello + mysqlPlain(2, "\x00\x00\x00\x02\x00\x00\x00")), ErrInjection, StageGreeting, ""},
		{"a byte behind a greeting without TLS", says(mysqlHello("x", mysqlSSL) + "\x16"), ErrInjection, StageGreeting, ""},
		// ST-04
		{"no TLS", says(mysqlHello("8.0.36", mysqlSSL)), ErrNotOffered, StageCapability, mysqlHello("8.0.36", mysqlSSL)},
		{"an error", says(blocked), ErrRefused, StageGreeting, ""},
		{"an error with the number 1", says(mysqlPlain(1, blocked[4:])), ErrRefused, StageGreeting, ""},
		{"an error without a text", says(mysqlPlain(0, "\xff\x10")), ErrRefused, StageGreeting, ""},
		// ST-14
		{"version 9", says(mysqlPlain(0, "\x09"+payload[1:])), ErrProtocol, StageGreeting, ""},
		{"TLS without the protocol of 4.1", says(mysqlHello("4.0", mysqlProtocol41)), ErrProtocol, StageGreeting, ""},
		{"a byte behind the scramble", says(strings.Replace(hello, "abcdefgh\x00", "abcdefgh\x01", 1)), ErrProtocol, StageGreeting, ""},
		{"no end of the version", says(mysqlPlain(0, "\x0a"+strings.Repeat("8", 60))), ErrProtocol, StageGreeting, ""},
		{"an empty packet", says("\x00\x00\x00\x00"), ErrProtocol, StageGreeting, ""},
		{"4097 bytes", says(bytesOf("01100000")), ErrProtocol, StageGreeting, ""},
		{"16 MiB", says(bytesOf("ffffff00")), ErrProtocol, StageGreeting, ""},
		{"half a greeting", says(hello[:30]), ErrProtocol, StageGreeting, ""},
		{"another protocol", says("220 mail.test ESMTP\r\n"), ErrProtocol, StageGreeting, ""},
		{"nothing", says(""), ErrProtocol, StageGreeting, ""},
		{"the number 1", says(mysqlPlain(1, payload)), ErrProtocol, StageGreeting, ""}, // ST-09
	}
	for n := 1; n < strings.Index(payload, "ijklmnopqrst")+12; n++ {
		tests = append(tests, exchange{"cut", says(cut(n)), ErrProtocol, StageGreeting, ""}) // ST-14
	}
	exchangeAll(t, "mysql", clientOf(t, "mysql"), unmasked, tests)
}

// What a server offers in plain text changes nothing in what it is told, ST-06.
func TestMySQLRequestIsTheSameForAll(t *testing.T) {
	for _, without := range []uint16{0, mysqlTransactions, mysqlSecureConnection, mysqlLongFlag | mysqlLongPassword} {
		conn := &scriptedConn{turns: []turn{{"", mysqlHello("8", without)}, {mysqlAsk, ""}}}
		conn.next("")
		if err := clientOf(t, "mysql")(newDialogue(conn, "mysql")); err != nil {
			t.Error(err)
		}
		conn.over(t)
	}
}

// maskScramble replaces the scramble of our greeting, which ends before the name of its method.
func maskScramble(s string) string {
	second := strings.Index(s, "\x00mysql_native_password") - 12
	if second < 0 {
		return s
	}
	first := second - 10 - 1 - 2 - 2 - 1 - 2 - 1 - 8
	return s[:first] + "abcdefgh" + s[first+8:second] + "ijklmnopqrst" + s[second+12:]
}

func TestMySQLServer(t *testing.T) {
	greeting := mysqlPlain(0, bytesOf(`0a "8.0.0-endpoint" 00 01000000 "abcdefgh" 00 0daa 2d 0200 0800 15 00000000000000000000 "ijklmnopqrst" 00 "mysql_native_password" 00`))
	refusal := mysqlPlain(2, bytesOf(`ff 570c "#HY000this server takes only connections with TLS"`))
	response := mysqlPlain(1, bytesOf("05a20800 00000001 2d")+strings.Repeat("\x00", 23)+bytesOf(`"joe" 00 14 "01234567890123456789"`))
	says := func(request string, rest ...turn) []turn { return append([]turn{{greeting, request}}, rest...) }
	exchangeAll(t, "mysql", serverOf(t, "mysql", nil), maskScramble, []exchange{
		{"SSLRequest", says(mysqlAsk), nil, "", ""},
		{"SSLRequest of openssl", says(bytesOf("20000001 85ae7f00 00000001 21") + strings.Repeat("\x00", 23)), nil, "", ""},
		{"without TLS", says(response, turn{refusal, ""}), ErrRefused, StageUpgrade, ""},
		// ST-14
		{"a short request", says(mysqlPlain(1, mysqlAsk[4:35])), ErrProtocol, StageUpgrade, ""},
		{"a long request", says(mysqlPlain(1, mysqlAsk[4:]+"\x00")), ErrProtocol, StageUpgrade, ""},
		{"32 bytes without CLIENT_SSL", says(mysqlPlain(1, response[4:36])), ErrProtocol, StageUpgrade, ""},
		{"the protocol before 4.1", says(mysqlPlain(1, "\x00\x08\x00\x00"+mysqlAsk[8:])), ErrProtocol, StageUpgrade, ""},
		{"an empty packet", says("\x00\x00\x00\x01"), ErrProtocol, StageUpgrade, ""},
		{"16 MiB", says("\xff\xff\xff\x01"), ErrProtocol, StageUpgrade, ""},
		{"16 KiB and a byte", says("\x01\x40\x00\x01"), ErrProtocol, StageUpgrade, ""},
		{"half a request", says(mysqlAsk[:20]), ErrProtocol, StageUpgrade, ""},
		{"nothing", says(""), ErrProtocol, StageUpgrade, ""},
		{"TLS at once", says("\x16\x03\x01\x02\x00\x01\x00"), ErrProtocol, StageUpgrade, ""},
		{"the number 0", says(mysqlPlain(0, mysqlAsk[4:])), ErrProtocol, StageUpgrade, ""}, // ST-09
		{"the number 2", says(mysqlPlain(2, mysqlAsk[4:])), ErrProtocol, StageUpgrade, ""},
	})
	exchangeAll(t, "mysql", serverOf(t, "mysql", plainToo), maskScramble, []exchange{
		{"SSLRequest, plain", says(mysqlAsk), nil, "", ""},
		{"without TLS, plain", says(response + "more"), ErrRefused, StageUpgrade, response + "more"},
	})
	ours := func(t *serverTerms) { t.greeting = "11.4.2-MariaDB" }
	exchangeAll(t, "mysql", serverOf(t, "mysql", ours), maskScramble, []exchange{
		{"greeting", []turn{{strings.Replace(greeting, "8.0.0-endpoint", "11.4.2-MariaDB", 1), mysqlAsk}}, nil, "", ""},
	})
}

// ST-14: what is behind the request is not read, for it belongs to TLS.
func TestMySQLServerLeavesTheRest(t *testing.T) {
	conn := &scriptedConn{in: mysqlAsk + "\x16\x03\x01hello"}
	d := newDialogue(maskedConn{conn, func(string) string { return "" }}, "mysql")
	conn.turns = []turn{{"", ""}}
	if err := serverOf(t, "mysql", nil)(d); err != nil || conn.in != "\x16\x03\x01hello" || len(d.buffer) > 0 {
		t.Errorf("%v, left %q, in the buffer %q", err, conn.in, d.buffer)
	}
}

// Each greeting has another scramble, of characters that a client can take for a string.
func TestMySQLScramble(t *testing.T) {
	a, b := mysqlGreeting("x"), mysqlGreeting("x")
	if bytes.Equal(a, b) {
		t.Error("the same scramble twice")
	}
	if flags, err := mysqlOffer(a[4:]); err != nil || flags&mysqlSSL == 0 {
		t.Errorf("our own greeting: %#x, %v", flags, err)
	}
}
