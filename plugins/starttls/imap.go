package starttls

import (
	"regexp"
	"slices"
	"strings"
)

// imap is the STARTTLS of RFC 9051 section 6.2.1 and RFC 3501 section 6.2.1.
//
// Client: greeting, CAPABILITY unless the greeting offers STARTTLS already, STARTTLS. After TLS the server says nothing of
// itself; the caller asks CAPABILITY again, and may use any tags. What came untagged before, alerts, referrals and
// capabilities, is forgotten. A plain connection begins with the greeting.
//
// Server: after TLS no greeting; a server that is built on it does not list STARTTLS and LOGINDISABLED, and answers a second
// STARTTLS with BAD (ST-20). A plain client was greeted, and is not told LOGINDISABLED.
func imap() protocol {
	return protocol{name: "imap", alpn: "imap", greeting: true, capabilities: true, client: imapClient, server: imapServer}
}

func imapClient(d *dialogue, _ clientTerms) error {
	greeting, err := d.line()
	if err != nil {
		return err
	}
	d.keep()
	offers, err := d.imapGreeting(greeting)
	if err != nil {
		return err
	}
	if !slices.Contains(offers, "STARTTLS") {
		d.stage = StageCapability
		if offers, err = d.imapCommand("a1", "CAPABILITY"); err != nil {
			return err
		}
		if !slices.Contains(offers, "STARTTLS") {
			return d.fail(ErrNotOffered, "")
		}
	}
	d.stage = StageUpgrade
	_, err = d.imapCommand("a2", "STARTTLS")
	return err
}

// imapGreeting returns the capabilities in a greeting, if there are any (RFC 9051 section 7.2.2). PREAUTH is not for us: in that
// state there is no STARTTLS (section 7.1.4), and somebody on the way may want just that (ST-05).
func (d *dialogue) imapGreeting(line string) ([]string, error) {
	kind, text := imapUntagged(line)
	switch kind {
	case "OK":
		code, _, found := strings.Cut(strings.TrimPrefix(text, "["), "]")
		if found && text[0] == '[' && keyed(code, "CAPABILITY") {
			return imapWords(code), nil
		}
		return nil, nil
	case "PREAUTH":
		return nil, d.fail(ErrNotOffered, line)
	case "BYE":
		return nil, d.farewell(line)
	}
	return nil, d.broken(line, "not a greeting")
}

// imapCommand says a command and reads until the answer with its tag (ST-09). It returns the capabilities that came
// before.
func (d *dialogue) imapCommand(tag, command string) ([]string, error) {
	if err := d.ask("%s %s", tag, command); err != nil {
		return nil, err
	}
	var offers []string
	for range maxLines {
		line, err := d.line()
		if err != nil {
			return nil, err
		}
		if status, tagged := strings.CutPrefix(line, tag+" "); tagged {
			return offers, d.imapStatus(status, line)
		}
		kind, text := imapUntagged(line)
		if err := d.imapAside(kind, line); err != nil {
			return nil, err
		}
		if kind == "CAPABILITY" {
			offers = append(offers, imapWords(text)...)
		}
	}
	return nil, d.broken("", "%d lines and no answer", maxLines)
}

// imapStatus takes the status of an answer (RFC 9051 section 7.1).
func (d *dialogue) imapStatus(status, line string) error {
	status, _, _ = strings.Cut(status, " ")
	switch status = strings.ToUpper(status); {
	case status == "OK":
		return nil
	case status == "BAD" && d.stage == StageCapability:
		return d.fail(ErrNotOffered, line) // a server that does not know CAPABILITY does not know STARTTLS
	case status == "NO", status == "BAD":
		return d.fail(ErrRefused, line)
	}
	return d.broken(line, "neither OK nor NO nor BAD")
}

// imapAside looks at an untagged response. Those that are allowed are forgotten; a literal is in none that a client may get
// before it has logged in, and its bytes must not be taken for lines.
func (d *dialogue) imapAside(kind, line string) error {
	switch kind {
	case "OK", "NO", "BAD":
		return nil // text for people, which may end as it likes
	case "BYE":
		return d.farewell(line)
	case "":
		return d.broken(line, "neither untagged nor an answer with our tag")
	case "PREAUTH":
		return d.broken(line, "a second greeting")
	}
	if literal.MatchString(line) {
		return d.broken(line, "a literal")
	}
	return nil
}

// literal is what stands at the end of a line before a literal of IMAP (RFC 9051 section 4.3) or ManageSieve (RFC 5804
// section 4).
var literal = regexp.MustCompile(`\{[0-9]+\+?\}$`)

// imapUntagged takes an untagged response apart. Kind is in upper case, and "" where the line is none.
func imapUntagged(line string) (kind, text string) {
	rest, ok := strings.CutPrefix(line, "* ")
	if !ok {
		return "", ""
	}
	return takeCommand(rest)
}

// imapWords are the words of a list of capabilities, in upper case.
func imapWords(text string) []string { return strings.Fields(strings.ToUpper(text)) }
