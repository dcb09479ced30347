package starttls

import (
	"errors"
	"strings"
)

// pop3 is RFC 2595 section 4 over RFC 1939 and the CAPA of RFC 2449 section 5.
//
// Client: greeting, CAPA, STLS. After TLS the server says nothing of itself; the caller asks CAPA again where it needs it. A
// plain connection begins with the greeting, so APOP's timestamp is there. With TLS the timestamp is forgotten: it came in
// plain text, and APOP is of no use.
//
// Server: after TLS no greeting; a server that is built on it does not list STLS, and answers a second one with -ERR (ST-20).
// A plain client was greeted.
func pop3() protocol {
	return protocol{name: "pop3", alpn: "pop3", greeting: true, capabilities: true, client: pop3Client, server: pop3Server}
}

func pop3Client(d *dialogue, _ clientTerms) error {
	d.lineMax = replyLine
	if err := d.positive(); err != nil {
		return err
	}
	d.keep()
	d.stage = StageCapability
	if err := d.ask("CAPA"); err != nil {
		return err
	}
	if err := d.positive(); err != nil {
		return asNotOffered(err) // a server without CAPA has no STLS either, RFC 2595 section 4
	}
	if err := d.listed("STLS"); err != nil {
		return err
	}
	d.stage = StageUpgrade
	if err := d.ask("STLS"); err != nil {
		return err
	}
	return d.positive()
}

// positive reads a line, which has to be a positive status indicator. Those are in upper case (RFC 1939 section 3).
func (d *dialogue) positive() error {
	line, err := d.line()
	if err != nil {
		return err
	}
	switch indicator, _, _ := strings.Cut(line, " "); indicator {
	case "+OK":
		return nil
	case "-ERR":
		return d.refused(line)
	}
	return d.broken(line, "neither +OK nor -ERR")
}

// asNotOffered turns a refusal to tell the capabilities into what it means.
func asNotOffered(err error) error {
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Err == ErrRefused {
		refusal.Err = ErrNotOffered
	}
	return err
}

func pop3Server(d *dialogue, t serverTerms) error {
	if err := d.say("+OK %s", t.greet(t.host+" POP3")); err != nil {
		return err
	}
	return d.serve(t, func(line string) answer {
		switch strings.ToUpper(line) {
		case "CAPA":
			return answer{text: list("+OK Capability list follows", t.offers("STLS"))}
		case "STLS":
			return answer{text: "+OK Begin TLS negotiation", upgrade: true}
		case "NOOP":
			return answer{text: "-ERR log in first"} // RFC 1939 section 5: valid in the TRANSACTION state only
		case "QUIT":
			return answer{text: "+OK Bye", quit: true}
		}
		return answer{text: "-ERR STLS first", foreign: true}
	})
}
