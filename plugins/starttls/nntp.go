package starttls

import (
	"slices"
	"strings"
)

// nntp is RFC 4642, as RFC 8143 updates it, over RFC 3977.
//
// Client: greeting, CAPABILITIES, STARTTLS. After TLS the server says nothing of itself; the caller forgets what it knew of
// the server and asks CAPABILITIES again (RFC 4642 section 2.2.2). A plain connection begins with the greeting.
// A server that has to be told MODE READER before it offers TLS (RFC 3977 section 5.3) is one without TLS: the mode is not ours
// to choose. Nor is it the caller's, behind TLS: MODE READER is not allowed there (RFC 4642 section 2.2.2).
//
// Server: after TLS no greeting; a server that is built on it does not list STARTTLS, and answers a second one with 502 (ST-20).
// A plain client was greeted.
func nntp() protocol {
	return protocol{name: "nntp", alpn: "nntp", greeting: true, capabilities: true, client: nntpClient, server: nntpServer}
}

func nntpClient(d *dialogue, _ clientTerms) error {
	greeting, err := d.status()
	if err != nil {
		return err
	}
	if err := d.judge(greeting, "200", "201"); err != nil {
		return err
	}
	d.keep()
	d.stage = StageCapability
	capabilities, err := d.inquire("CAPABILITIES")
	switch {
	case err != nil:
		return err
	case capabilities.code == "500":
		return d.fail(ErrNotOffered, capabilities.line) // a server older than RFC 3977
	}
	if err := d.judge(capabilities, "101"); err != nil {
		return err
	}
	if err := d.listed("STARTTLS"); err != nil {
		return err
	}
	d.stage = StageUpgrade
	goAhead, err := d.inquire("STARTTLS")
	if err != nil {
		return err
	}
	return d.judge(goAhead, "382")
}

// inquire says a line and reads a reply of one.
func (d *dialogue) inquire(line string) (reply, error) {
	if err := d.ask("%s", line); err != nil {
		return reply{}, err
	}
	return d.status()
}

// nntpServer answers 483 to what needs TLS (RFC 3977 section 3.2.1).
func nntpServer(d *dialogue, t serverTerms) error {
	if err := d.say("200 %s", t.greet(t.host+" NNTP")); err != nil {
		return err
	}
	return d.serve(t, func(line string) answer {
		switch command, parameters := takeCommand(line); {
		case command == "CAPABILITIES":
			return answer{text: list("101 Capability list:", nntpOffers(t))}
		case line == "", command == "STARTTLS" && strings.TrimSpace(parameters) != "":
			return answer{text: "501 Syntax error"}
		case command == "STARTTLS":
			return answer{text: "382 Continue with TLS negotiation", upgrade: true}
		case command == "QUIT":
			return answer{text: "205 Bye", quit: true}
		}
		return answer{text: "483 STARTTLS first", foreign: true}
	})
}

// nntpOffers are the capabilities, of which the version comes first, wherever it was among those that were chosen (RFC 3977
// section 5.2.2).
func nntpOffers(t serverTerms) []string {
	offers := atLeast(t.offers("STARTTLS"), "VERSION 2")
	first := slices.IndexFunc(offers, func(line string) bool { return keyed(line, "VERSION") })
	version := offers[first]
	return slices.Insert(slices.Delete(offers, first, first+1), 0, version)
}
