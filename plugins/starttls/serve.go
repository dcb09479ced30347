package starttls

import "errors"

// maxCommands is how many lines a client may say before it asks for TLS.
const maxCommands = 32

var errLeft = errors.New("the client left without TLS")

// An answer is what a server does about a line of its client.
type answer struct {
	text    string // what to say, without the last line's end; nothing where it is empty
	upgrade bool   // TLS is next: the text is the go-ahead
	quit    bool   // the client leaves
	foreign bool   // a command of the protocol proper, which only a server without TLS could do
}

// serve is the server's side of a protocol of lines, behind the greeting.
func (d *dialogue) serve(t serverTerms, handle func(line string) answer) error {
	d.stage = StageUpgrade
	for range maxCommands {
		before := len(d.spoken)
		line, err := d.line()
		if err != nil {
			return err
		}
		a := handle(line)
		switch {
		case a.upgrade:
			return d.goAhead([]byte(a.text + "\r\n"))
		case a.foreign && t.plain:
			d.kept = d.spoken[before:]
			return d.fail(ErrRefused, line)
		}
		if a.text == "" {
			continue
		}
		if err := d.say("%s", a.text); err != nil {
			return err
		}
		if a.quit {
			return d.fail(errLeft, "")
		}
	}
	return d.broken("", "more than %d commands before TLS", maxCommands)
}
