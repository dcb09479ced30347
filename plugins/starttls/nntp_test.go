package starttls

import "testing"

func TestNNTPClient(t *testing.T) {
	const (
		greeting = "< 201 no posting\n"
		ask      = greeting + "> CAPABILITIES\n"
		offer    = ask + "< 101 list\n< VERSION 2\n< STARTTLS\n< .\n"
		start    = offer + "> STARTTLS\n"
		plain    = "201 no posting\r\n"
	)
	asClient(t, "nntp", []talk{
		{"go-ahead", start + "< 382 go\n", nil, "", ""},
		{"posting allowed", "< 200 ready\n> CAPABILITIES\n< 101\n< STARTTLS\n< .\n> STARTTLS\n< 382\n", nil, "", ""},
		// ST-01
		{"a reply behind the go-ahead", start + "< 382 go\n< 101 evil\n", ErrInjection, StageUpgrade, ""},
		{"a go-ahead before the question", offer + "< 382 go\n", ErrInjection, StageUpgrade, ""},
		// ST-04
		{"no offer", ask + "< 101 list\n< VERSION 2\n< .\n", ErrNotOffered, StageCapability, plain},
		{"no CAPABILITIES", ask + "< 500 what\n", ErrNotOffered, StageCapability, plain},
		{"CAPABILITIES refused", ask + "< 480 log in\n", ErrRefused, StageCapability, plain},
		{"already active", start + "< 502 no\n", ErrRefused, StageUpgrade, plain},
		{"refused", start + "< 580 can not\n", ErrRefused, StageUpgrade, plain},
		{"closing", start + "< 400 bye\n", ErrRefused, StageUpgrade, ""},
		{"no service", "< 502 go away\n", ErrRefused, StageGreeting, ""},
		{"another code that is positive", start + "< 200 go\n", ErrProtocol, StageUpgrade, ""},
		// ST-07
		{"a reply of several lines", "< 200-ready\n< 200 ready\n", ErrProtocol, StageGreeting, ""},
		{"a list that does not end", ask + "< 101\n" + many(128, "< X"), ErrProtocol, StageCapability, ""},
		{"another greeting", "< 220 ready\n", ErrProtocol, StageGreeting, ""},
		{"no digits", "< OK\n", ErrProtocol, StageGreeting, ""},
		{"closed", start, ErrProtocol, StageUpgrade, ""},
	})
}

func TestNNTPServer(t *testing.T) {
	const greeting = "< 200 server.test NNTP\n"
	const list = "> CAPABILITIES\n< 101 Capability list:\n< VERSION 2\n< STARTTLS\n< .\n"
	asServer(t, "nntp", ourServer, []talk{
		{"upgrade", greeting + list + "> STARTTLS\n< 382 Continue with TLS negotiation\n", nil, "", ""},
		{"commands without TLS", greeting + "> MODE READER\n< 483 STARTTLS first\n> STARTTLS x\n< 501 Syntax error\n> \n< 501 Syntax error\n> QUIT\n< 205 Bye\n", errLeft, StageUpgrade, ""},
		{"a command behind the upgrade", greeting + ">> STARTTLS\r\nQUIT\r\n", ErrInjection, StageUpgrade, ""}, // ST-02
		{"bare LF", greeting + ">> STARTTLS\n", ErrProtocol, StageUpgrade, ""},                                 // ST-08
	})
	asServer(t, "nntp", serverTerms{greeting: "hello", capabilities: []string{"READER", "version 2 3", "POST"}, plain: true}, []talk{
		{"what it is told", "< 200 hello\n> CAPABILITIES X\n< 101 Capability list:\n< version 2 3\n< READER\n< POST\n< STARTTLS\n< .\n> STARTTLS\n< 382 Continue with TLS negotiation\n", nil, "", ""},
		{"reading without TLS", "< 200 hello\n> GROUP x\n", ErrRefused, StageUpgrade, "GROUP x\r\n"},
	})
}
