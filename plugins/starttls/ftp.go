package starttls

import "strings"

// ftp is RFC 4217 over RFC 2228 and RFC 959.
//
// Only the control connection is encrypted (ST-21): for data the caller says PBSZ 0 and PROT P after TLS (RFC 4217 section 9),
// and makes TLS connections of the data connections himself; without them files go in plain text. A plain connection begins
// with the greeting.
//
// Server: after TLS no greeting; a server that is built on it answers PBSZ and PROT, refuses data connections without PROT P
// with 521 (RFC 4217 section 10.2), and a second AUTH with 534 (ST-20), AUTH having no 503 (RFC 2228 section 8.2). A plain
// client was greeted.
func ftp() protocol {
	return protocol{name: "ftp", alpn: "ftp", greeting: true, capabilities: true, client: ftpClient, server: ftpServer}
}

// ftpClient does not ask FEAT: whether the server has TLS is what the reply to AUTH says as well (RFC 4217 section 4).
func ftpClient(d *dialogue, _ clientTerms) error {
	greeting, err := d.ftpReply()
	if err == nil && greeting.code == "120" { // a moment yet, RFC 959 section 5.4
		greeting, err = d.ftpReply()
	}
	if err != nil {
		return err
	}
	if err := d.judge(greeting, "220"); err != nil {
		return err
	}
	d.keep()
	d.stage = StageUpgrade
	if err := d.ask("AUTH TLS"); err != nil {
		return err
	}
	goAhead, err := d.ftpReply()
	if err != nil {
		return err
	}
	switch goAhead.code {
	case "500", "502", "504": // knows no AUTH, or no TLS
		return d.fail(ErrNotOffered, goAhead.line)
	}
	return d.judge(goAhead, "234")
}

// ftpReply reads a reply. In one of several lines only the first and the last have the code, and what is between them is
// text that may look like anything else (RFC 959 section 4.2).
func (d *dialogue) ftpReply() (reply, error) {
	first, err := d.line()
	if err != nil {
		return reply{}, err
	}
	code, text, more, ok := splitReply(first)
	if !ok {
		return reply{}, d.broken(first, "no reply of three digits")
	}
	r := reply{code, []string{text}, first}
	for more {
		if len(r.text) == maxLines {
			return reply{}, d.broken(r.line, "a reply of more than %d lines", maxLines)
		}
		if r.line, err = d.line(); err != nil {
			return reply{}, err
		}
		r.text = append(r.text, r.line)
		more = r.line != code && !strings.HasPrefix(r.line, code+" ")
	}
	return r, nil
}

// ftpServer takes TLS and its synonym TLS-C (RFC 4217 section 17), and not SSL and TLS-P, which only drafts of it had: their data
// connections would be encrypted without PROT.
func ftpServer(d *dialogue, t serverTerms) error {
	if err := d.say("220 %s", t.greet(t.host+" FTP")); err != nil {
		return err
	}
	return d.serve(t, func(line string) answer {
		switch command, parameters := takeCommand(line); {
		case command == "AUTH" && (strings.EqualFold(parameters, "TLS") || strings.EqualFold(parameters, "TLS-C")):
			return answer{text: "234 Proceed with TLS negotiation", upgrade: true}
		case command == "AUTH":
			return answer{text: "504 AUTH TLS is what there is"}
		case command == "FEAT":
			return answer{text: ftpFeatures(t)}
		case command == "PBSZ", command == "PROT":
			return answer{text: "503 AUTH TLS first"}
		case command == "NOOP":
			return answer{text: "200 OK"}
		case command == "QUIT":
			return answer{text: "221 Bye", quit: true}
		}
		return answer{text: "530 AUTH TLS first", foreign: true}
	})
}

// ftpFeatures is the reply to FEAT (RFC 2389 section 3.2).
func ftpFeatures(t serverTerms) string {
	features := append(t.offers("AUTH TLS"), "PBSZ", "PROT")
	return "211-Features:\r\n " + strings.Join(features, "\r\n ") + "\r\n211 End"
}
