package starttls

import (
	"slices"
	"strings"
)

func imapServer(d *dialogue, t serverTerms) error {
	offers := strings.Join(imapOffers(t), " ")
	if err := d.say("* OK %s%s", imapCode(t), t.greet(t.host+" IMAP")); err != nil {
		return err
	}
	return d.serve(t, func(line string) answer {
		tag, rest, _ := strings.Cut(line, " ")
		if !isTag(tag) || rest == "" {
			return answer{text: "* BAD no tag, or no command"}
		}
		switch strings.ToUpper(rest) {
		case "CAPABILITY":
			return answer{text: "* CAPABILITY " + offers + "\r\n" + tag + " OK CAPABILITY completed"}
		case "STARTTLS":
			return answer{text: tag + " OK Begin TLS negotiation now", upgrade: true}
		case "NOOP":
			return answer{text: tag + " OK NOOP completed"}
		case "LOGOUT":
			return answer{text: "* BYE Logging out\r\n" + tag + " OK LOGOUT completed", quit: true}
		}
		return refuseLiteral(line, "* BYE STARTTLS first", tag+" NO [PRIVACYREQUIRED] STARTTLS first") // RFC 5530 section 3
	})
}

// refuseLiteral refuses a command. One with a literal that the client sends without waiting is refused with bye: what
// comes next is data, and must not be taken for commands.
func refuseLiteral(line, bye, no string) answer {
	if strings.HasSuffix(line, "+}") {
		return answer{text: bye, quit: true, foreign: true}
	}
	return answer{text: no, foreign: true}
}

// imapOffers are the capabilities. Who requires TLS says that there is no LOGIN without (RFC 9051 section 6.2.3).
func imapOffers(t serverTerms) []string {
	offers := t.offers("STARTTLS")
	if !t.plain {
		offers = atLeast(offers, "LOGINDISABLED")
	}
	if offered(offers, "IMAP4rev2") {
		return offers
	}
	return atLeast(offers, "IMAP4rev1")
}

// imapCode is the response code of the greeting with the capabilities (RFC 9051 section 7.1). A capability that is no atom, one
// with a space or a bracket in it, could end the code early: then there is no code, and the client asks CAPABILITY.
func imapCode(t serverTerms) string {
	offers := imapOffers(t)
	if !slices.ContainsFunc(offers, func(offer string) bool { return !isTag(offer) || strings.Contains(offer, "]") }) {
		return "[CAPABILITY " + strings.Join(offers, " ") + "] "
	}
	return ""
}

// isTag reports whether s can be the tag of a command: it is said again in the answer (RFC 9051 section 9).
func isTag(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`(){%*"\+`, r)
	})
}
