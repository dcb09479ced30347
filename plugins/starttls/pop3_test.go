package starttls

import (
	"strings"
	"testing"
)

func TestPOP3Client(t *testing.T) {
	const (
		greeting = "< +OK ready <1896.697170952@dbc.mtview.ca.us>\n"
		capa     = greeting + "> CAPA\n"
		offer    = capa + "< +OK list\n< TOP\n< SASL PLAIN\n< STLS\n< .\n"
		start    = offer + "> STLS\n"
		plain    = "+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n" // with APOP's timestamp
	)
	asClient(t, "pop3", []talk{
		{"go-ahead", start + "< +OK begin\n", nil, "", ""},
		{"go-ahead without a text", start + "< +OK\n", nil, "", ""},
		{"words in lower case", capa + "< +OK\n< stls\n< .\n> STLS\n< +OK\n", nil, "", ""},
		{"a stuffed line", capa + "< +OK\n< ..x\n< STLS\n< .\n> STLS\n< +OK\n", nil, "", ""},
		// ST-01
		{"an answer behind the go-ahead", start + "< +OK begin\n< +OK evil\n", ErrInjection, StageUpgrade, ""},
		{"an answer before the question", greeting + "< +OK list\n< STLS\n< .\n", ErrInjection, StageCapability, ""},
		{"a go-ahead before the question", offer + "< +OK begin\n", ErrInjection, StageUpgrade, ""},
		// ST-04
		{"no offer", capa + "< +OK\n< TOP\n< .\n", ErrNotOffered, StageCapability, plain},
		{"an empty list", capa + "< +OK\n< .\n", ErrNotOffered, StageCapability, plain},
		{"an offer in the first line", capa + "< +OK STLS\n< .\n", ErrNotOffered, StageCapability, plain},
		{"no CAPA", capa + "< -ERR unknown\n", ErrNotOffered, StageCapability, plain},
		{"refused", start + "< -ERR no\n", ErrRefused, StageUpgrade, plain},
		{"no service", "< -ERR busy\n", ErrRefused, StageGreeting, ""},
		// ST-07
		{"lower case", "< +ok ready\n", ErrProtocol, StageGreeting, ""},
		{"no space", "< +OKAY\n", ErrProtocol, StageGreeting, ""},
		{"another greeting", "< * OK ready\n", ErrProtocol, StageGreeting, ""},
		{"a list that does not end", capa + "< +OK\n" + many(128, "< X"), ErrProtocol, StageCapability, ""},
		{"a dot that is not stuffed", capa + "< +OK\n< .STLS\n", ErrProtocol, StageCapability, ""},
		{"a long line", capa + "< +OK\n< " + strings.Repeat("x", 511) + "\n", ErrProtocol, StageCapability, ""},
		{"bare LF", "<< +OK\n", ErrProtocol, StageGreeting, ""},
		{"closed", start, ErrProtocol, StageUpgrade, ""},
	})
}

func TestPOP3Server(t *testing.T) {
	const greeting = "< +OK server.test POP3\n"
	const capa = "> CAPA\n< +OK Capability list follows\n< STLS\n< .\n"
	asServer(t, "pop3", ourServer, []talk{
		{"upgrade", greeting + capa + "> STLS\n< +OK Begin TLS negotiation\n", nil, "", ""},
		{"words in lower case", greeting + "> stls\n< +OK Begin TLS negotiation\n", nil, "", ""},
		{"a login without TLS", greeting + "> USER u\n< -ERR STLS first\n> STLS x\n< -ERR STLS first\n> NOOP\n< -ERR log in first\n> QUIT\n< +OK Bye\n", errLeft, StageUpgrade, ""},
		{"a command behind the upgrade", greeting + ">> STLS\r\nCAPA\r\n", ErrInjection, StageUpgrade, ""}, // ST-02
		{"bare LF", greeting + ">> STLS\n", ErrProtocol, StageUpgrade, ""},                                 // ST-08
	})
	asServer(t, "pop3", serverTerms{greeting: "hello", capabilities: []string{"UIDL", ".x"}, plain: true}, []talk{
		{"what it is told", "< +OK hello\n> CAPA\n< +OK Capability list follows\n< UIDL\n< ..x\n< STLS\n< .\n> STLS\n< +OK Begin TLS negotiation\n", nil, "", ""},
		{"a login without TLS", "< +OK hello\n> USER u\n", ErrRefused, StageUpgrade, "USER u\r\n"},
	})
}
