package starttls

import (
	"strings"
	"testing"
)

var (
	sslRequest = bytesOf("00000008 04d2162f")
	gssRequest = bytesOf("00000008 04d21630")
	pgStartup  = bytesOf(`0000000f 00030000 "user" 00 6a 00`)
	pgCancel   = bytesOf("00000010 04d2162e 00000001 00000002")
	pgRefusal  = bytesOf(`45 00000047 "SFATAL" 00 "VFATAL" 00 "C28000" 00 "Mthis server takes only connections with TLS" 00 00`)
)

func TestPostgresClient(t *testing.T) {
	ask := func(reply string) []turn { return []turn{{sslRequest, reply}} }
	exchangeAll(t, "postgres", clientOf(t, "postgres"), unmasked, []exchange{
		{"yes", ask("S"), nil, "", ""},
		// ST-11
		{"no", ask("N"), ErrNotOffered, StageUpgrade, "-"},
		{"an error", ask("E"), ErrRefused, StageUpgrade, ""},
		{"a byte behind yes", ask("S\x16"), ErrInjection, StageUpgrade, ""},
		{"yes twice", ask("SS"), ErrInjection, StageUpgrade, ""},
		{"another answer", ask("X"), ErrProtocol, StageUpgrade, ""},
		{"lower case", ask("s"), ErrProtocol, StageUpgrade, ""},
		{"TLS already", ask("\x16\x03\x01"), ErrProtocol, StageUpgrade, ""},
		{"nothing", ask(""), ErrProtocol, StageUpgrade, ""},
	})
}

// ST-11, CVE-2024-10977: what an unknown server says for an error is not passed on.
func TestPostgresErrorTextIsNotShown(t *testing.T) {
	conn := &scriptedConn{turns: []turn{{sslRequest, "E\x00\x00\x00\x20SFATAL\x00Mcall 0900-evil\x00\x00"}}}
	err := clientOf(t, "postgres")(newDialogue(conn, "postgres"))
	if err == nil || strings.Contains(err.Error(), "evil") || strings.Contains(err.Error(), "FATAL") {
		t.Errorf("%v", err)
	}
}

func TestPostgresServer(t *testing.T) {
	asked := func(request, reply string) []turn { return []turn{{"", request}, {reply, ""}} }
	silent := func(request string) []turn { return []turn{{"", request}} }
	exchangeAll(t, "postgres", serverOf(t, "postgres", nil), unmasked, []exchange{
		{"yes", asked(sslRequest, "S"), nil, "", ""},
		{"GSS first", []turn{{"", gssRequest}, {"N", sslRequest}, {"S", ""}}, nil, "", ""},
		// ST-12
		{"a query behind the request", silent(sslRequest + "Q\x00\x00\x00\x05\x00"), ErrInjection, StageUpgrade, ""},
		{"two requests at once", silent(sslRequest + sslRequest), ErrInjection, StageUpgrade, ""},
		{"TLS behind the request", silent(sslRequest + "\x16"), ErrInjection, StageUpgrade, ""},
		{"a request behind GSS", silent(gssRequest + sslRequest), ErrInjection, StageUpgrade, ""},
		{"GSS twice", []turn{{"", gssRequest}, {"N", gssRequest}}, ErrProtocol, StageUpgrade, ""},
		{"startup", asked(pgStartup, pgRefusal), ErrRefused, StageUpgrade, ""},
		{"startup behind GSS", []turn{{"", gssRequest}, {"N", pgStartup}, {pgRefusal, ""}}, ErrRefused, StageUpgrade, ""},
		{"cancel", silent(pgCancel), ErrRefused, StageUpgrade, ""},
		{"half a startup", silent(pgStartup[:9]), ErrProtocol, StageUpgrade, ""},
		{"protocol 2", silent(bytesOf("00000128 00020000")), ErrProtocol, StageUpgrade, ""},
		{"a long request", silent(bytesOf("00000009 04d2162f 00")), ErrProtocol, StageUpgrade, ""},
		{"a short message", silent(bytesOf("00000007 00030000")), ErrProtocol, StageUpgrade, ""},
		{"a long message", silent(bytesOf("00002711 00030000")), ErrProtocol, StageUpgrade, ""},
		{"a huge message", silent(bytesOf("ffffffff 00030000")), ErrProtocol, StageUpgrade, ""},
		{"HTTP", silent("GET / HTTP/1.1\r\n"), ErrProtocol, StageUpgrade, ""},
		{"TLS at once", silent("\x16\x03\x01"), ErrProtocol, StageUpgrade, ""}, // ST-13
		{"nothing", silent(""), ErrProtocol, StageUpgrade, ""},
	})
}

func TestPostgresServerWithPlainClients(t *testing.T) {
	exchangeAll(t, "postgres", serverOf(t, "postgres", plainToo), unmasked, []exchange{
		{"yes", []turn{{"", sslRequest}, {"S", ""}}, nil, "", ""},
		{"startup", []turn{{"", pgStartup}}, ErrRefused, StageUpgrade, pgStartup},
		{"startup and more", []turn{{"", pgStartup + "more"}}, ErrRefused, StageUpgrade, pgStartup + "more"},
		{"startup behind GSS", []turn{{"", gssRequest}, {"N", pgStartup}}, ErrRefused, StageUpgrade, pgStartup},
		{"cancel", []turn{{"", pgCancel}}, ErrRefused, StageUpgrade, pgCancel},
		{"injection", []turn{{"", sslRequest + pgStartup}}, ErrInjection, StageUpgrade, ""}, // ST-12
	})
}

// ST-13: TLS at once is left where it is, for TLS.
func TestPostgresServerDirect(t *testing.T) {
	exchangeAll(t, "postgres", serverOf(t, "postgres", directToo), unmasked, []exchange{
		{"TLS at once", []turn{{"", "\x16\x03\x01hello"}}, nil, "", ""},
		{"after a request", []turn{{"", sslRequest}, {"S", ""}}, nil, "", ""},
		{"after GSS", []turn{{"", gssRequest}, {"N", "\x16\x03\x01\x00\x02\x00\x00\x00"}}, ErrProtocol, StageUpgrade, ""},
	})
	d := newDialogue(&scriptedConn{in: "\x16\x03\x01hello"}, "postgres")
	if err := serverOf(t, "postgres", directToo)(d); err != nil || !d.direct || string(d.buffer) != "\x16\x03\x01hello" {
		t.Errorf("%v, direct %v, %q in the buffer", err, d.direct, d.buffer)
	}
}
