package starttls

import "strings"

// smtp is RFC 3207 over RFC 5321.
//
// Client: greeting, EHLO, STARTTLS. After TLS the connection is as new, but for the greeting: the caller says EHLO
// (RFC 3207 section 4.2), and takes no extension for given that was offered before. A plain connection begins with the
// greeting.
//
// Server: after TLS the client says EHLO first; a server that is built on it says no greeting, does not offer STARTTLS, and
// answers a second STARTTLS with 503 (ST-20). A plain client was greeted, and perhaps EHLO answered; it begins with the
// command that we do not know.
func smtp() protocol { return mail{name: "smtp", hello: "EHLO", service: "ESMTP"}.protocol() }

// mail is what SMTP and LMTP have in common.
type mail struct{ name, hello, service string }

// protocol has no ALPN: none is registered for SMTP or LMTP.
func (m mail) protocol() protocol {
	return protocol{name: m.name, greeting: true, capabilities: true, named: true, client: m.client, server: m.server}
}

func (m mail) client(d *dialogue, t clientTerms) error {
	d.lineMax = replyLine
	greeting, err := d.replies()
	if err != nil {
		return err
	}
	if err := d.judge(greeting, "220"); err != nil {
		return err
	}
	d.keep()
	d.stage = StageCapability
	hello, err := d.exchange(m.hello + " " + t.name)
	switch {
	case err != nil:
		return err
	case hello.code == "500" || hello.code == "502":
		return d.fail(ErrNotOffered, hello.line) // a server without extensions, RFC 5321 section 3.2
	}
	if err := d.judge(hello, "250"); err != nil {
		return err
	}
	if !offered(hello.text[1:], "STARTTLS") {
		return d.fail(ErrNotOffered, "")
	}
	d.stage = StageUpgrade
	goAhead, err := d.exchange("STARTTLS")
	if err != nil {
		return err
	}
	return d.judge(goAhead, "220")
}

// exchange says a line and reads the reply.
func (d *dialogue) exchange(line string) (reply, error) {
	if err := d.ask("%s", line); err != nil {
		return reply{}, err
	}
	return d.replies()
}

// replies reads a reply of one or several lines, which all have the same code (RFC 5321 section 4.2.1).
func (d *dialogue) replies() (reply, error) {
	var r reply
	for len(r.text) < maxLines {
		line, err := d.line()
		if err != nil {
			return reply{}, err
		}
		code, text, more, ok := splitReply(line)
		switch {
		case !ok:
			return reply{}, d.broken(line, "no reply of three digits")
		case r.code != "" && code != r.code:
			return reply{}, d.broken(line, "the lines of a reply have the codes %s and %s", r.code, code)
		}
		r = reply{code, append(r.text, text), line}
		if !more {
			return r, nil
		}
	}
	return reply{}, d.broken(r.line, "a reply of more than %d lines", maxLines)
}

// server lets through before TLS what RFC 3207 section 4 does.
func (m mail) server(d *dialogue, t serverTerms) error {
	if err := d.say("220 %s", t.greet(t.host+" "+m.service)); err != nil {
		return err
	}
	return d.serve(t, func(line string) answer {
		switch command, parameters := takeCommand(line); {
		case command == m.hello && parameters != "":
			return answer{text: m.offer(t)}
		case line == "", command == m.hello, command == "STARTTLS" && parameters != "":
			return answer{text: "501 Syntax error in parameters or arguments"}
		case command == "STARTTLS":
			return answer{text: "220 Ready to start TLS", upgrade: true}
		case command == "NOOP":
			return answer{text: "250 OK"}
		case command == "QUIT":
			return answer{text: "221 " + t.host + " Bye", quit: true}
		}
		return answer{text: "530 Must issue a STARTTLS command first", foreign: true}
	})
}

// offer is the reply to EHLO (RFC 5321 section 4.1.1.1).
func (m mail) offer(t serverTerms) string {
	lines := append([]string{t.host}, t.offers("STARTTLS")...)
	last := len(lines) - 1
	return "250-" + strings.Join(lines[:last], "\r\n250-") + "\r\n250 " + lines[last]
}
