package starttls

import "testing"

func TestIRCClient(t *testing.T) {
	const start = "> STARTTLS\n"
	asClient(t, "irc", []talk{
		{"go-ahead", start + "< :irc 670 * :go\n", nil, "", ""},
		{"without a prefix", start + "< 670 * :go\n", nil, "", ""},
		{"what a server says before", "< :irc NOTICE * :looking up\n" + start + "< PING :x\n< :irc 020 * :wait\n< :irc 439 * :wait\n< :irc 670 * :go\n", nil, "", ""},
		// ST-01
		{"a notice behind the go-ahead", start + "< :irc 670 * :go\n< :irc NOTICE * :evil\n", ErrInjection, StageUpgrade, ""},
		// ST-04
		{"unknown command", "< :irc NOTICE * :hello\n" + start + "< :irc 421 * STARTTLS :what\n", ErrNotOffered, StageUpgrade, ":irc NOTICE * :hello\r\n"},
		{"not registered", start + "< :irc 451 * :register\n", ErrNotOffered, StageUpgrade, "-"},
		{"refused", start + "< :irc 691 * :no\n< :irc NOTICE * :but\n", ErrRefused, StageUpgrade, ":irc NOTICE * :but\r\n"},
		{"banned", start + "< :irc 465 * :go away\n", ErrRefused, StageUpgrade, "-"},
		{"closing", start + "< ERROR :bye\n", ErrRefused, StageUpgrade, ""},
		{"a welcome", start + "< :irc 001 * :welcome\n", ErrProtocol, StageUpgrade, ""},
		{"670 as a text", start + "< :670 JOIN 670\n", ErrProtocol, StageUpgrade, ""},
		// ST-07
		{"notices for ever", start + many(128, "< NOTICE * :x"), ErrProtocol, StageUpgrade, ""},
		{"an empty line", start + "< \n", ErrProtocol, StageUpgrade, ""},
		{"bare LF", start + "<< :irc 670 * :go\n", ErrProtocol, StageUpgrade, ""},
		{"closed", start, ErrProtocol, StageUpgrade, ""},
	})
}

func TestIRCServer(t *testing.T) {
	const goAhead = "< :server.test 670 * :STARTTLS successful, proceed with TLS handshake\n"
	asServer(t, "irc", ourServer, []talk{
		{"upgrade", "> STARTTLS\n" + goAhead, nil, "", ""},
		{"capabilities", "> CAP LS 302\n< :server.test CAP * LS :tls\n> CAP REQ :tls\n< :server.test CAP * ACK :tls\n> CAP REQ :sasl tls\n< :server.test CAP * NAK :sasl tls\n> CAP LIST\n< :server.test CAP * LIST :\n> CAP\n< :server.test 410 * :Invalid CAP command\n> CAP END\n> \n> STARTTLS\n" + goAhead, nil, "", ""},
		{"commands without TLS", "> NICK n\n< :server.test 451 * :STARTTLS first\n> PING x\n< :server.test PONG server.test x\n> QUIT\n< ERROR :Bye\n", errLeft, StageUpgrade, ""},
		{"a command behind the upgrade", ">> STARTTLS\r\nNICK n\r\n", ErrInjection, StageUpgrade, ""}, // ST-02
		{"bare LF", ">> STARTTLS\n", ErrProtocol, StageUpgrade, ""}, // ST-08
	})
	asServer(t, "irc", serverTerms{host: "irc", capabilities: []string{"sasl"}, plain: true}, []talk{
		{"what it is told", "> CAP LS\n< :irc CAP * LS :sasl tls\n> STARTTLS\n< :irc 670 * :STARTTLS successful, proceed with TLS handshake\n", nil, "", ""},
		{"a registration without TLS", ">> NICK n\r\nUSER n 0 * :n\r\n", ErrRefused, StageUpgrade, "NICK n\r\nUSER n 0 * :n\r\n"},
	})
}
