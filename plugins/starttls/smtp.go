package starttls

import "strings"

// smtp is RFC 3207. After TLS the client says EHLO again, and the server has forgotten the first one.
func smtp() protocol { return mail{name: "smtp", hello: "EHLO", service: "ESMTP"}.protocol() }

// mail is what SMTP and LMTP have in common.
type mail struct{ name, hello, service string }

func (m mail) protocol() protocol {
	return protocol{name: m.name, greeting: true, capabilities: true, client: m.client, server: m.server}
}

// replyLine is the longest line of a reply, RFC 5321 section 4.5.3.1.5.
const replyLine = 512

func (m mail) client(d *dialogue, t clientTerms) error {
	d.lineMax = replyLine
	if _, err := d.reply("220"); err != nil {
		return err
	}
	d.keep()
	d.stage = StageCapability
	if err := d.say("%s %s", m.hello, t.name); err != nil {
		return err
	}
	offers, err := d.reply("250")
	if err != nil {
		return err
	}
	if !offered(offers[1:], "STARTTLS") {
		return d.fail(ErrNotOffered, "")
	}
	d.stage = StageUpgrade
	if err := d.say("STARTTLS"); err != nil {
		return err
	}
	_, err = d.reply("220")
	return err
}

// offered reports whether one of the lines of a reply is a keyword, without parameters.
func offered(lines []string, keyword string) bool {
	for _, line := range lines {
		if strings.EqualFold(line, keyword) {
			return true
		}
	}
	return false
}

// reply reads a reply of one or several lines (RFC 5321 section 4.2.1) and returns their texts. All lines have one code; a
// failure code other than the one that is wanted is a refusal.
func (d *dialogue) reply(want string) ([]string, error) {
	var texts []string
	for first := ""; ; {
		line, err := d.line()
		if err != nil {
			return nil, err
		}
		code, text, more, ok := splitReply(line)
		switch {
		case !ok:
			return nil, d.broken(line, "no reply of three digits")
		case first != "" && code != first:
			return nil, d.broken(line, "the lines of a reply have the codes %s and %s", first, code)
		case len(texts) == maxLines:
			return nil, d.broken(line, "a reply of more than %d lines", maxLines)
		}
		first = code
		texts = append(texts, text)
		if more {
			continue
		}
		return texts, d.judge(code, want, line)
	}
}

// judge compares the code of a reply with the one that is wanted.
func (d *dialogue) judge(code, want, line string) error {
	switch {
	case code == want:
		return nil
	case code[0] == '4' || code[0] == '5':
		return d.fail(ErrRefused, line)
	}
	return d.broken(line, "%s where %s is due", code, want)
}

// splitReply takes a line of a reply apart. The text may be missing, with the space before it.
func splitReply(line string) (code, text string, more, ok bool) {
	if len(line) < 3 {
		return "", "", false, false
	}
	code, rest := line[:3], line[3:]
	for _, c := range code {
		if c < '0' || c > '9' {
			return "", "", false, false
		}
	}
	if code[0] < '1' || code[0] > '5' {
		return "", "", false, false
	}
	switch {
	case rest == "":
		return code, "", false, true
	case rest[0] == ' ', rest[0] == '-':
		return code, rest[1:], rest[0] == '-', true
	}
	return "", "", false, false
}

func (m mail) server(d *dialogue, t serverTerms) error {
	if err := d.say("220 %s", t.greet(t.host+" "+m.service)); err != nil {
		return err
	}
	return d.serve(t, func(line string) answer {
		command, _, _ := strings.Cut(line, " ")
		switch strings.ToUpper(command) {
		case m.hello:
			return answer{text: m.offer(t)}
		case "STARTTLS":
			if !strings.EqualFold(line, "STARTTLS") {
				return answer{text: "501 Syntax error: no parameters allowed"}
			}
			return answer{text: "220 Ready to start TLS", upgrade: true}
		case "NOOP", "RSET":
			return answer{text: "250 OK"}
		case "QUIT":
			return answer{text: "221 Bye", quit: true}
		}
		return answer{text: "530 Must issue a STARTTLS command first", foreign: true}
	})
}

// offer is the reply to EHLO.
func (m mail) offer(t serverTerms) string {
	lines := append([]string{t.host}, t.offers("STARTTLS")...)
	last := len(lines) - 1
	return "250-" + strings.Join(lines[:last], "\r\n250-") + "\r\n250 " + lines[last]
}
