package starttls

import "strings"

// sieve is the STARTTLS of ManageSieve, RFC 5804 section 2.2.
//
// Client: the greeting lists the capabilities, so STARTTLS is all that is to be said. After TLS the server lists its
// capabilities again without being asked, and the caller reads them as after a fresh connection: those in plain text are
// forgotten. A plain connection begins with the greeting.
//
// Server: after TLS a server that is built on it lists its capabilities first, as if the client had just connected; it does
// not list STARTTLS, and answers a second one with NO (ST-20). A plain client was greeted.
func sieve() protocol {
	return protocol{name: "sieve", alpn: "managesieve", greeting: true, capabilities: true, client: sieveClient, server: sieveServer}
}

func sieveClient(d *dialogue, _ clientTerms) error {
	greeting, err := d.sieveResponse()
	if err != nil {
		return err
	}
	if err := d.sieveStatus(greeting); err != nil {
		return err
	}
	d.keep()
	d.stage = StageCapability
	if !offered(greeting.capabilities, "STARTTLS") {
		return d.fail(ErrNotOffered, "")
	}
	d.stage = StageUpgrade
	if err := d.ask("STARTTLS"); err != nil {
		return err
	}
	goAhead, err := d.sieveResponse()
	if err != nil {
		return err
	}
	if len(goAhead.capabilities) > 0 {
		return d.broken(goAhead.line, "capabilities before the answer to STARTTLS")
	}
	return d.sieveStatus(goAhead)
}

// sieveStatus judges a response.
func (d *dialogue) sieveStatus(r sieveResponse) error {
	switch r.status {
	case "OK":
		return nil
	case "BYE":
		return d.farewell(r.line)
	}
	return d.refused(r.line)
}

func sieveServer(d *dialogue, t serverTerms) error {
	capabilities := sieveList(t)
	if err := d.say("%sOK %s", capabilities, quote(t.greet(t.host+" ManageSieve"))); err != nil {
		return err
	}
	return d.serve(t, func(line string) answer {
		switch strings.ToUpper(line) {
		case "CAPABILITY":
			return answer{text: capabilities + `OK "Capability completed"`}
		case "STARTTLS":
			return answer{text: `OK "Begin TLS negotiation now"`, upgrade: true}
		case "NOOP":
			return answer{text: `OK "NOOP completed"`}
		case "LOGOUT":
			return answer{text: `OK "Bye"`, quit: true}
		}
		if tag, ok := sieveNoop(line); ok {
			return answer{text: "OK (TAG " + quote(tag) + `) "NOOP completed"`}
		}
		code := ""
		if keyed(line, "AUTHENTICATE") {
			code = "(ENCRYPT-NEEDED) " // of no other command, RFC 5804 section 1.3
		}
		return refuseLiteral(line, "BYE "+code+`"STARTTLS first"`, "NO "+code+`"STARTTLS first"`)
	})
}

// sieveNoop is the tag that a NOOP wants to see again (RFC 5804 section 2.13), where that is a quoted string. A literal is
// refused, as those of all commands are.
func sieveNoop(line string) (tag string, ok bool) {
	command, parameters := takeCommand(line)
	tokens, size, ok := scan(parameters, true)
	if command != "NOOP" || !ok || size >= 0 || shapeOf(tokens) != `"` {
		return "", false
	}
	return tokens[0].text, true
}

// sieveList is the list of capabilities, with those that each server has (RFC 5804 section 1.7).
func sieveList(t serverTerms) string {
	text := ""
	for _, offer := range atLeast(t.offers("STARTTLS"), "IMPLEMENTATION endpoint", "VERSION 1.0", "SASL ", "SIEVE ") {
		name, value, valued := strings.Cut(offer, " ")
		text += quote(name)
		if valued {
			text += " " + quote(value)
		}
		text += "\r\n"
	}
	return text
}

// quote makes a quoted string (RFC 5804 section 4).
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
