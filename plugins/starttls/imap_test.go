package starttls

import "testing"

func TestIMAPClient(t *testing.T) {
	const (
		greeting = "< * OK ready\n"
		ask      = greeting + "> a1 CAPABILITY\n"
		offer    = ask + "< * CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\n< a1 OK done\n"
		start    = offer + "> a2 STARTTLS\n"
		plain    = "* OK ready\r\n"
		told     = "< * OK [CAPABILITY IMAP4rev1 StartTLS] ready\n"
	)
	asClient(t, "imap", []talk{
		{"go-ahead", start + "< a2 OK begin\n", nil, "", ""},
		{"an offer in the greeting", told + "> a2 STARTTLS\n< a2 ok begin\n", nil, "", ""},
		{"a greeting that does not tell all", "< * OK [CAPABILITY IMAP4rev1] ready\n> a1 CAPABILITY\n< * CAPABILITY IMAP4rev1 STARTTLS\n< a1 OK\n> a2 STARTTLS\n< a2 OK\n", nil, "", ""},
		{"a greeting with another code", "< * OK [ALERT] STARTTLS]\n> a1 CAPABILITY\n< * CAPABILITY STARTTLS\n< a1 OK\n> a2 STARTTLS\n< a2 OK\n", nil, "", ""},
		{"a greeting without a text", "< * OK\n> a1 CAPABILITY\n< * CAPABILITY STARTTLS\n< a1 OK\n> a2 STARTTLS\n< a2 OK\n", nil, "", ""},
		// ST-06
		{"untagged responses", start + "< * OK [ALERT] give us your password {3}\n< * NO [REFERRAL imap://evil/] x\n< * 3 EXISTS\n< * CAPABILITY AUTH=PLAIN\n< a2 OK begin\n", nil, "", ""},
		// ST-01
		{"an untagged response behind the go-ahead", start + "< a2 OK begin\n< * CAPABILITY AUTH=PLAIN\n", ErrInjection, StageUpgrade, ""},
		{"an answer behind the go-ahead", start + "< a2 OK begin\n< a3 OK evil\n", ErrInjection, StageUpgrade, ""},
		{"an answer before the question", greeting + "< * CAPABILITY STARTTLS\n< a1 OK\n", ErrInjection, StageCapability, ""},
		{"a go-ahead before the question", offer + "< a2 OK begin\n", ErrInjection, StageUpgrade, ""},
		// ST-04
		{"no offer", ask + "< * CAPABILITY IMAP4rev1\n< a1 OK\n", ErrNotOffered, StageCapability, plain},
		{"no list", ask + "< a1 OK [CAPABILITY STARTTLS]\n", ErrNotOffered, StageCapability, plain},
		{"an offer in another response", ask + "< * OK [CAPABILITY STARTTLS] x\n< a1 OK\n", ErrNotOffered, StageCapability, plain},
		{"no CAPABILITY", ask + "< a1 BAD what\n", ErrNotOffered, StageCapability, plain},
		{"CAPABILITY refused", ask + "< a1 NO not now\n", ErrRefused, StageCapability, plain},
		{"refused by NO", start + "< a2 NO not now\n", ErrRefused, StageUpgrade, plain},
		{"refused by BAD", start + "< a2 BAD what\n", ErrRefused, StageUpgrade, plain},
		// ST-05
		{"PREAUTH", "< * PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\n", ErrNotOffered, StageGreeting, "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\r\n"},
		{"PREAUTH later", start + "< * PREAUTH welcome\n", ErrProtocol, StageUpgrade, ""},
		{"BYE", "< * BYE full\n", ErrRefused, StageGreeting, ""},
		{"BYE later", ask + "< * BYE\n", ErrRefused, StageCapability, ""},
		// ST-09
		{"another tag", start + "< b OK begin\n", ErrProtocol, StageUpgrade, ""},
		{"the tag of another command", start + "< a1 OK begin\n", ErrProtocol, StageUpgrade, ""},
		{"the tag in upper case", start + "< A2 OK begin\n", ErrProtocol, StageUpgrade, ""},
		{"a tag that begins with ours", start + "< a22 OK begin\n", ErrProtocol, StageUpgrade, ""},
		{"a continuation", start + "< + go on\n", ErrProtocol, StageUpgrade, ""},
		{"another status", start + "< a2 OKAY\n", ErrProtocol, StageUpgrade, ""},
		// ST-07
		{"no greeting", "< OK ready\n", ErrProtocol, StageGreeting, ""},
		{"a greeting by NO", "< * NO\n", ErrProtocol, StageGreeting, ""},
		{"responses for ever", ask + many(128, "< * OK still here"), ErrProtocol, StageCapability, ""},
		{"a literal with an answer in it", start + "< * LIST () \"/\" {13}\n< a2 OK begin\n< \n", ErrProtocol, StageUpgrade, ""},
		{"a literal among the capabilities", ask + "< * CAPABILITY {8}\n< STARTTLS\n< a1 OK\n", ErrProtocol, StageCapability, ""},
		{"bare LF", "<< * OK ready\n", ErrProtocol, StageGreeting, ""},
		{"closed", start, ErrProtocol, StageUpgrade, ""},
	})
}

func TestIMAPServer(t *testing.T) {
	const greeting = "< * OK [CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS] server.test IMAP\n"
	const goAhead = "< x OK Begin TLS negotiation now\n"
	asServer(t, "imap", ourServer, []talk{
		{"upgrade", greeting + "> a CAPABILITY\n< * CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS\n< a OK CAPABILITY completed\n> x starttls\n" + goAhead, nil, "", ""},
		{"commands without TLS", greeting + "> a LOGIN u p\n< a NO [PRIVACYREQUIRED] STARTTLS first\n> b NOOP\n< b OK NOOP completed\n> c STARTTLS x\n< c NO [PRIVACYREQUIRED] STARTTLS first\n> d LOGOUT\n< * BYE Logging out\n< d OK LOGOUT completed\n", errLeft, StageUpgrade, ""},
		{"no command", greeting + "> a\n< * BAD no tag, or no command\n> +x NOOP\n< * BAD no tag, or no command\n>  NOOP\n< * BAD no tag, or no command\n> \x80 NOOP\n< * BAD no tag, or no command\n> x STARTTLS\n" + goAhead, nil, "", ""},
		{"a literal that is waited for", greeting + "> a LOGIN {1}\n< a NO [PRIVACYREQUIRED] STARTTLS first\n> x STARTTLS\n" + goAhead, nil, "", ""},
		{"a literal with a command in it", greeting + "> a LOGIN {12+}\n> x STARTTLS\n>  p\n< * BYE STARTTLS first\n", errLeft, StageUpgrade, ""},
		{"a command behind the upgrade", greeting + ">> x STARTTLS\r\ny CAPABILITY\r\n", ErrInjection, StageUpgrade, ""}, // ST-02
		{"bare LF", greeting + ">> x STARTTLS\n", ErrProtocol, StageUpgrade, ""},                                         // ST-08
	})
	asServer(t, "imap", serverTerms{greeting: "hello", capabilities: []string{"imap4REV2", "IDLE"}, plain: true}, []talk{
		{"what it is told", "< * OK [CAPABILITY imap4REV2 IDLE STARTTLS] hello\n> x STARTTLS\n" + goAhead, nil, "", ""},
		{"asked for what it has", "< * OK [CAPABILITY imap4REV2 IDLE STARTTLS] hello\n> a CAPABILITY\n< * CAPABILITY imap4REV2 IDLE STARTTLS\n< a OK CAPABILITY completed\n> x STARTTLS\n" + goAhead, nil, "", ""},
		{"a login without TLS", "< * OK [CAPABILITY imap4REV2 IDLE STARTTLS] hello\n>> a LOGIN {1+}\r\nu p\r\n", ErrRefused, StageUpgrade, "a LOGIN {1+}\r\nu p\r\n"},
	})
}

// A capability that is no atom does not end the response code of the greeting early: there is none.
func TestIMAPServerWithoutCode(t *testing.T) {
	for _, odd := range []string{"X]", "AUTH=PLAIN AUTH=LOGIN", "] evil [", "A\\B", "\u00e9"} {
		asServer(t, "imap", serverTerms{greeting: "hello", capabilities: []string{odd}}, []talk{
			{odd, "< * OK hello\n> a CAPABILITY\n< * CAPABILITY IMAP4rev1 LOGINDISABLED " + odd + " STARTTLS\n< a OK CAPABILITY completed\n" +
				"> x STARTTLS\n< x OK Begin TLS negotiation now\n", nil, "", ""},
		})
	}
}
