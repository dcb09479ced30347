package starttls

import (
	"regexp"
	"slices"
	"strings"
)

// irc is the IRCv3 capability tls with its command STARTTLS, over RFC 1459 and RFC 2812. IRCv3 has deprecated it: where the
// server has a port for TLS, the endpoint tls is better.
//
// Client: STARTTLS at once. A server may say something before, and need not; it works whether or not the client asks for the
// capability. After TLS the caller registers with CAP, NICK and USER. A plain connection begins with what the server said
// before its answer.
//
// Server: after TLS nothing was said yet, and CAP is asked again; a server that is built on it does not list tls, and answers
// a second STARTTLS with 691 (ST-20). A plain client perhaps had CAP answered, and registers next.
func irc() protocol {
	return protocol{name: "irc", alpn: "irc", capabilities: true, client: ircClient, server: ircServer}
}

func ircClient(d *dialogue, _ clientTerms) error {
	d.lineMax = replyLine
	d.stage = StageUpgrade
	if err := d.say("STARTTLS"); err != nil {
		return err
	}
	for range maxLines {
		line, err := d.line()
		if err != nil {
			return err
		}
		done, err := d.ircReply(line)
		if done || err != nil {
			return err
		}
		d.keep()
	}
	return d.broken("", "%d lines and no answer", maxLines)
}

// ircReply takes a line of the server, which is the answer or something that any client may be told before it registers.
func (d *dialogue) ircReply(line string) (done bool, err error) {
	switch word := ircWord(line); {
	case word == "670":
		return true, nil
	case word == "421", word == "451": // an unknown command, or one for registered clients only
		return true, d.fail(ErrNotOffered, line)
	case word == "NOTICE", word == "PING", word == "020", word == "439": // the numerics ask to wait
		return false, nil
	case word == "ERROR":
		return true, d.farewell(line)
	case word == "691", ircError.MatchString(word):
		return true, d.fail(ErrRefused, line)
	}
	return true, d.broken(line, "neither 670 nor 691")
}

// ircError is a numeric that says no.
var ircError = regexp.MustCompile(`^[45][0-9]{2}$`)

// ircWord is the command or the numeric of a message (RFC 2812 section 2.3.1).
func ircWord(line string) string {
	if strings.HasPrefix(line, ":") {
		_, line, _ = strings.Cut(line, " ")
	}
	word, _, _ := strings.Cut(line, " ")
	return strings.ToUpper(word)
}

func ircServer(d *dialogue, t serverTerms) error {
	return d.serve(t, func(line string) answer {
		prefix := ":" + t.host + " "
		switch command, parameters := takeCommand(line); command {
		case "STARTTLS":
			return answer{text: prefix + "670 * :STARTTLS successful, proceed with TLS handshake", upgrade: true}
		case "CAP":
			return ircCapabilities(prefix, parameters, t.offers("tls"))
		case "PING":
			return answer{text: prefix + "PONG " + t.host + " " + parameters}
		case "QUIT":
			return answer{text: "ERROR :Bye", quit: true}
		case "":
			return answer{} // to be ignored, RFC 2812 section 2.3.1
		}
		return answer{text: prefix + "451 * :STARTTLS first", foreign: true}
	})
}

// ircCapabilities answers CAP. To have asked for tls is of no consequence, as the specification says.
func ircCapabilities(prefix, parameters string, offers []string) answer {
	command, wanted := takeCommand(parameters)
	switch command {
	case "LS":
		return answer{text: prefix + "CAP * LS :" + strings.Join(offers, " ")}
	case "LIST":
		return answer{text: prefix + "CAP * LIST :"}
	case "REQ":
		wanted = strings.TrimPrefix(wanted, ":")
		verb := "ACK"
		for _, capability := range strings.Fields(wanted) {
			if !slices.Contains(offers, capability) {
				verb = "NAK"
			}
		}
		return answer{text: prefix + "CAP * " + verb + " :" + wanted}
	case "END":
		return answer{}
	}
	return answer{text: prefix + "410 * :Invalid CAP command"}
}
