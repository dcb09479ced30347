package starttls

import (
	"strings"
	"testing"
)

func TestSMTPClient(t *testing.T) {
	const (
		greeting = "< 220 mx ready\n"
		hello    = greeting + "> EHLO client.test\n"
		offer    = hello + "< 250-mx\n< 250-SIZE 1000\n< 250-STARTTLS\n< 250 HELP\n"
		start    = offer + "> STARTTLS\n"
		plain    = "220 mx ready\r\n"
	)
	asClient(t, "smtp", []talk{
		{"go-ahead", start + "< 220 go\n", nil, "", ""},
		{"go-ahead of several lines", start + "< 220-go\n< 220 ahead\n", nil, "", ""},
		{"greeting of several lines", "< 220-mx\n< 220-\n< 220\n> EHLO client.test\n< 250-mx\n< 250 starttls\n> STARTTLS\n< 220\n", nil, "", ""},
		{"128 lines of a greeting", many(127, "< 220-x") + start + "< 220 go\n", nil, "", ""},
		{"a line of 512 bytes", "< 220 " + strings.Repeat("x", 506) + "\n> EHLO client.test\n< 250 mx\n", ErrNotOffered, StageCapability, "220 " + strings.Repeat("x", 506) + "\r\n"},
		// ST-01
		{"a reply behind the go-ahead", start + "< 220 go\n< 250 evil\n", ErrInjection, StageUpgrade, ""},
		{"a byte behind the go-ahead", start + "<< 220 go\r\n\x16", ErrInjection, StageUpgrade, ""},
		{"a reply before the question", greeting + "< 250-mx\n< 250 STARTTLS\n", ErrInjection, StageCapability, ""},
		{"a go-ahead before the question", offer + "< 220 go\n", ErrInjection, StageUpgrade, ""},
		// ST-04
		{"no offer", hello + "< 250-mx\n< 250 HELP\n", ErrNotOffered, StageCapability, plain},
		{"an offer that is the server's name", hello + "< 250 STARTTLS\n", ErrNotOffered, StageCapability, plain},
		{"another word", hello + "< 250-mx\n< 250 XSTARTTLS\n", ErrNotOffered, StageCapability, plain},
		{"no EHLO", hello + "< 502 what\n", ErrNotOffered, StageCapability, plain},
		{"EHLO refused", hello + "< 550 no\n", ErrRefused, StageCapability, plain},
		{"refused for now", start + "< 454 TLS not available\n", ErrRefused, StageUpgrade, plain},
		{"refused", start + "< 501 no\n", ErrRefused, StageUpgrade, plain},
		{"refused for good", start + "< 421 bye\n", ErrRefused, StageUpgrade, ""},
		{"another code that is positive", start + "< 250 go\n", ErrProtocol, StageUpgrade, ""},
		{"no service", "< 554 no\n", ErrRefused, StageGreeting, ""},
		{"closed", start, ErrProtocol, StageUpgrade, ""},
		// ST-07
		{"two codes", hello + "< 250-a\n< 220 b\n", ErrProtocol, StageCapability, ""},
		{"another separator", "< 220_x\n", ErrProtocol, StageGreeting, ""},
		{"no digits", "< 2x0 x\n", ErrProtocol, StageGreeting, ""},
		{"a code out of range", "< 620 x\n", ErrProtocol, StageGreeting, ""},
		{"an empty line", "< \n", ErrProtocol, StageGreeting, ""},
		{"129 lines", many(129, "< 220-x"), ErrProtocol, StageGreeting, ""},
		{"a line of 513 bytes", "< 220 " + strings.Repeat("x", 507) + "\n", ErrProtocol, StageGreeting, ""},
		{"a line without an end", "<< " + strings.Repeat("220", 400), ErrProtocol, StageGreeting, ""},
		{"bare LF", "<< 220 x\n", ErrProtocol, StageGreeting, ""},
		{"bare CR", "<< 220 x\r220 y\r\n", ErrProtocol, StageGreeting, ""},
		{"CR CR LF", "<< 220 x\r\r\n", ErrProtocol, StageGreeting, ""},
		{"NUL", "<< 220 x\x00\r\n", ErrProtocol, StageGreeting, ""},
		{"escape sequences", "< 554 \x1b[2J\x9b\xff\n", ErrRefused, StageGreeting, ""}, // ST-22
	})
}

func TestLMTPClient(t *testing.T) {
	asClient(t, "lmtp", []talk{
		{"go-ahead", "< 220 mx\n> LHLO client.test\n< 250-mx\n< 250 STARTTLS\n> STARTTLS\n< 220 go\n", nil, "", ""},
		{"no offer", "< 220 mx\n> LHLO client.test\n< 250 mx\n", ErrNotOffered, StageCapability, "220 mx\r\n"},
	})
}

func TestSMTPServer(t *testing.T) {
	const (
		greeting = "< 220 server.test ESMTP\n"
		offer    = "> EHLO c\n< 250-server.test\n< 250 STARTTLS\n"
	)
	talks := []talk{
		{"upgrade", greeting + offer + "> STARTTLS\n< 220 Ready to start TLS\n", nil, "", ""},
		{"words in lower case", greeting + "> starttls\n< 220 Ready to start TLS\n", nil, "", ""},
		{"parameters", greeting + "> STARTTLS now\n< 501 Syntax error in parameters or arguments\n> EHLO\n< 501 Syntax error in parameters or arguments\n> STARTTLS\n< 220 Ready to start TLS\n", nil, "", ""},
		{"commands without TLS", greeting + "> NOOP\n< 250 OK\n> QUIT\n< 221 server.test Bye\n", errLeft, StageUpgrade, ""},
		// ST-02
		{"a command behind the upgrade", greeting + ">> STARTTLS\r\nNOOP\r\n", ErrInjection, StageUpgrade, ""},
		{"a byte behind the upgrade", greeting + ">> STARTTLS\r\n\x16", ErrInjection, StageUpgrade, ""},
		// ST-08
		{"bare LF", greeting + ">> STARTTLS\n", ErrProtocol, StageUpgrade, ""},
		{"bare CR", greeting + ">> STARTTLS\r\r\n", ErrProtocol, StageUpgrade, ""},
		{"33 commands", greeting + strings.Repeat("> NOOP\n< 250 OK\n", 32), ErrProtocol, StageUpgrade, ""},
		{"a line without an end", greeting + ">> " + strings.Repeat("x", 5000), ErrProtocol, StageUpgrade, ""},
	}
	asServer(t, "smtp", ourServer, append(talks,
		talk{"mail without TLS", greeting + "> MAIL FROM:<a@b>\n< 530 Must issue a STARTTLS command first\n> RSET\n< 530 Must issue a STARTTLS command first\n> STARTTLS\n< 220 Ready to start TLS\n", nil, "", ""}))
	open := ourServer
	open.plain = true
	asServer(t, "smtp", open, append(talks,
		talk{"mail without TLS", greeting + offer + ">> MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n", ErrRefused, StageUpgrade, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"}))
}

func TestSMTPServerSaysWhatItIsTold(t *testing.T) {
	terms := serverTerms{host: "mx", greeting: "hello", capabilities: []string{"SIZE 100", "starttls", "HELP"}}
	asServer(t, "smtp", terms, []talk{
		{"smtp", "< 220 hello\n> EHLO c\n< 250-mx\n< 250-SIZE 100\n< 250-HELP\n< 250 STARTTLS\n> STARTTLS\n< 220 Ready to start TLS\n", nil, "", ""},
	})
	asServer(t, "lmtp", terms, []talk{
		{"lmtp", "< 220 hello\n> EHLO c\n< 530 Must issue a STARTTLS command first\n> LHLO c\n< 250-mx\n< 250-SIZE 100\n< 250-HELP\n< 250 STARTTLS\n> STARTTLS\n< 220 Ready to start TLS\n", nil, "", ""},
	})
}
