package starttls

import "testing"

func TestFTPClient(t *testing.T) {
	const (
		greeting = "< 220 ready\n"
		start    = greeting + "> AUTH TLS\n"
		plain    = "220 ready\r\n"
	)
	asClient(t, "ftp", []talk{
		{"go-ahead", start + "< 234 go\n", nil, "", ""},
		{"text between the lines of a reply", "< 220-Welcome\n< \n<  220 not yet\n< 230 nor here\n< 220-\n< 220 ready\n> AUTH TLS\n< 234\n", nil, "", ""},
		{"a reply that ends in its code", "< 220-Welcome\n< 220\n> AUTH TLS\n< 234-go\n< 234 go\n", nil, "", ""},
		{"a moment yet", "< 120 wait\n< 220 ready\n> AUTH TLS\n< 234 go\n", nil, "", ""},
		// ST-01
		{"a reply behind the go-ahead", start + "< 234 go\n< 230 logged in\n", ErrInjection, StageUpgrade, ""},
		{"a go-ahead before the question", greeting + "< 234 go\n", ErrInjection, StageUpgrade, ""},
		// ST-04
		{"no AUTH", start + "< 502 what\n", ErrNotOffered, StageUpgrade, plain},
		{"no TLS", start + "< 504 no\n", ErrNotOffered, StageUpgrade, plain},
		{"refused", start + "< 534 policy\n", ErrRefused, StageUpgrade, plain},
		{"refused for now", start + "< 431 later\n", ErrRefused, StageUpgrade, plain},
		{"closing", start + "< 421 bye\n", ErrRefused, StageUpgrade, ""},
		{"no service", "< 421 full\n", ErrRefused, StageGreeting, ""},
		{"another code that is positive", start + "< 334 more\n", ErrProtocol, StageUpgrade, ""},
		{"waiting for ever", "< 120 wait\n< 120 wait\n", ErrProtocol, StageGreeting, ""},
		// ST-07
		{"129 lines", "< 220-x\n" + many(128, "< y"), ErrProtocol, StageGreeting, ""},
		{"another separator", "< 220_x\n", ErrProtocol, StageGreeting, ""},
		{"bare LF in a reply", "<< 220-x\r\n220 y\n", ErrProtocol, StageGreeting, ""},
		{"closed within a reply", "< 220-x\n", ErrProtocol, StageGreeting, ""},
	})
}

func TestFTPServer(t *testing.T) {
	const greeting = "< 220 server.test FTP\n"
	asServer(t, "ftp", ourServer, []talk{
		{"upgrade", greeting + "> FEAT\n< 211-Features:\n<  AUTH TLS\n<  PBSZ\n<  PROT\n< 211 End\n> AUTH TLS\n< 234 Proceed with TLS negotiation\n", nil, "", ""},
		{"synonym", greeting + "> auth tls-c\n< 234 Proceed with TLS negotiation\n", nil, "", ""},
		{"other mechanisms", greeting + "> AUTH SSL\n< 504 AUTH TLS is what there is\n> AUTH\n< 504 AUTH TLS is what there is\n> AUTH TLS\n< 234 Proceed with TLS negotiation\n", nil, "", ""},
		{"commands without TLS", greeting + "> USER anonymous\n< 530 AUTH TLS first\n> PBSZ 0\n< 503 AUTH TLS first\n> NOOP\n< 200 OK\n> QUIT\n< 221 Bye\n", errLeft, StageUpgrade, ""},
		{"a command behind the upgrade", greeting + ">> AUTH TLS\r\nUSER x\r\n", ErrInjection, StageUpgrade, ""}, // ST-02
		{"bare LF", greeting + ">> AUTH TLS\n", ErrProtocol, StageUpgrade, ""},                                   // ST-08
	})
	asServer(t, "ftp", serverTerms{greeting: "hello", capabilities: []string{"UTF8"}, plain: true}, []talk{
		{"what it is told", "< 220 hello\n> FEAT\n< 211-Features:\n<  UTF8\n<  AUTH TLS\n<  PBSZ\n<  PROT\n< 211 End\n> AUTH TLS\n< 234 Proceed with TLS negotiation\n", nil, "", ""},
		{"a login without TLS", "< 220 hello\n> USER x\n", ErrRefused, StageUpgrade, "USER x\r\n"},
	})
}
