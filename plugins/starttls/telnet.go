package starttls

import (
	"bytes"
	"errors"
	"fmt"
)

// telnet is the option START_TLS of Telnet (draft-altman-telnet-starttls-02; options as in RFC 854 and 855): the server asks
// for it by DO, the client agrees by WILL, and each says by FOLLOWS that TLS is next. A server of the draft says so at the
// client's WILL (section 3.1); ours waits for the client's FOLLOWS, so that its own is the last thing in plain text.
//
// After TLS the session begins anew on both sides, as if it had just been connected: no option is negotiated, and START_TLS
// is not to be again (ST-20).
//
// What either side says about other options before TLS is forgotten. A server refuses them, lest its client wait for the
// answer; a client does not, for it has said by FOLLOWS that nothing but TLS comes, or is about to. In the mode opportunistic
// neither does: what was said can be read again, with all else that was said; the other side may then wait for an answer to
// DO START_TLS or WILL START_TLS no more.
func telnet() protocol {
	return protocol{name: "telnet", client: telnetClient, server: telnetServer}
}

// Commands of RFC 854, and what is of START_TLS.
const (
	telnetEOF  = 236 // the first command, RFC 1184
	telnetSE   = 240
	telnetSB   = 250
	telnetWill = 251
	telnetWont = 252
	telnetDo   = 253
	telnetDont = 254
	telnetIAC  = 255

	telnetStartTLS = 46
	telnetFollows  = 1
)

// A telnetCommand is one with its option, and what a subnegotiation says about it.
type telnetCommand struct {
	code, option byte
	data         []byte
}

func (c telnetCommand) is(code byte) bool { return c.code == code && c.option == telnetStartTLS }

func (c telnetCommand) follows() bool {
	return c.is(telnetSB) && bytes.Equal(c.data, []byte{telnetFollows})
}

func telnetSay(code byte) []byte { return []byte{telnetIAC, code, telnetStartTLS} }

func telnetSayFollows() []byte {
	return []byte{telnetIAC, telnetSB, telnetStartTLS, telnetFollows, telnetIAC, telnetSE}
}

// errTelnetData is text, for a terminal or from one, where a command is due. It stays in the buffer.
var errTelnetData = errors.New("text where a command is due")

// telnetCommand reads a command.
func (d *dialogue) telnetCommand() (telnetCommand, error) {
	for {
		c, size, err := telnetParse(d.buffer)
		switch {
		case errors.Is(err, errTelnetData):
			return c, err
		case err != nil:
			return c, d.broken(string(d.buffer), "%w", err)
		case size > 0:
			d.consume(size)
			return c, d.agreedOn(c)
		}
		if err := d.read(); err != nil {
			return c, err
		}
	}
}

// agreedOn checks that a subnegotiation is about the only option that can have been agreed on here (RFC 855), and says the
// only thing that there is to say about it.
func (d *dialogue) agreedOn(c telnetCommand) error {
	if c.code == telnetSB && !c.follows() {
		return d.broken(string(c.data), "a subnegotiation about the option %d", c.option)
	}
	return nil
}

// telnetParse takes the command at the beginning of b apart. Its size is 0 where b does not have all of it.
func telnetParse(b []byte) (c telnetCommand, size int, err error) {
	switch {
	case len(b) > 0 && b[0] != telnetIAC, len(b) > 1 && b[1] == telnetIAC:
		return c, 0, errTelnetData
	case len(b) < 2:
		return c, 0, nil
	}
	c.code = b[1]
	switch {
	case c.code < telnetEOF || c.code == telnetSE:
		return c, 0, fmt.Errorf("the command %d", c.code)
	case c.code < telnetSB:
		return c, 2, nil
	case len(b) < 3:
		return c, 0, nil
	}
	c.option = b[2]
	if c.code != telnetSB {
		return c, 3, nil
	}
	c.data, size, err = telnetData(b[3:])
	if size > 0 {
		size += 3
	}
	return c, size, err
}

// telnetData returns what is before IAC SE, and the size of both; 0 where b does not have all of it.
func telnetData(b []byte) (data []byte, size int, err error) {
	for i := 0; i < len(b); i++ {
		switch {
		case i >= maxLine:
			return nil, 0, fmt.Errorf("a subnegotiation of more than %d bytes", maxLine)
		case b[i] != telnetIAC:
			data = append(data, b[i])
			continue
		case i+1 == len(b):
			return nil, 0, nil
		case b[i+1] == telnetSE:
			return data, i + 2, nil
		case b[i+1] != telnetIAC:
			return nil, 0, fmt.Errorf("the command %d in a subnegotiation", b[i+1])
		}
		data = append(data, telnetIAC)
		i++
	}
	return nil, 0, nil
}

func telnetClient(d *dialogue, _ clientTerms) error {
	d.stage = StageCapability
	if err := d.telnetOffer(); err != nil {
		return err
	}
	d.stage = StageUpgrade
	for range maxCommands {
		c, err := d.telnetCommand()
		switch {
		case errors.Is(err, errTelnetData):
			return d.broken(string(d.buffer), "%w", err)
		case err != nil:
			return err
		case c.follows():
			return nil
		case c.is(telnetDont):
			d.over = true // we have said already that TLS follows
			return d.fail(ErrRefused, "")
		}
	}
	return d.broken("", "more than %d commands before TLS", maxCommands)
}

// telnetOffer waits for the server's DO, and answers it by WILL and FOLLOWS.
func (d *dialogue) telnetOffer() error {
	asked := false
	for range maxCommands {
		c, err := d.telnetCommand()
		d.keep()
		switch {
		case errors.Is(err, errTelnetData):
			return d.fail(ErrNotOffered, string(d.buffer))
		case err != nil:
			return err
		case c.is(telnetDont):
			return d.fail(ErrNotOffered, "")
		case c.is(telnetDo) && asked:
			return d.write(telnetSayFollows())
		case c.is(telnetDo):
			return d.write(append(telnetSay(telnetWill), telnetSayFollows()...))
		case !asked && len(d.buffer) == 0:
			// The server began with something else. It may not know START_TLS, and say so only if it is asked.
			asked = true
			if err := d.write(telnetSay(telnetWill)); err != nil {
				return err
			}
		}
	}
	return d.broken("", "more than %d commands without START_TLS", maxCommands)
}

func telnetServer(d *dialogue, t serverTerms) error {
	if err := d.write(telnetSay(telnetDo)); err != nil {
		return err
	}
	d.stage = StageUpgrade
	agreed := false
	for range maxCommands {
		c, err := d.telnetCommand()
		text := errors.Is(err, errTelnetData)
		switch {
		case text && (agreed || d.buffer[0] == tlsHandshake):
			return d.broken(string(d.buffer), "%w", err)
		case text, c.is(telnetWont):
			return d.without(t, 0, []byte("This server takes only connections with TLS.\r\n"))
		case err != nil:
			return err
		case c.is(telnetWill):
			agreed = true
		case c.follows() && !agreed:
			return d.broken("", "FOLLOWS without WILL")
		case c.follows():
			return d.goAhead(telnetSayFollows())
		case !t.plain:
			if err := d.telnetDecline(c); err != nil {
				return err
			}
		}
	}
	return d.broken("", "more than %d commands before TLS", maxCommands)
}

// telnetDecline refuses an option other than ours that the client wants or offers (RFC 854). A refusal is not answered, so
// this ends.
func (d *dialogue) telnetDecline(c telnetCommand) error {
	switch {
	case c.option == telnetStartTLS:
		return nil
	case c.code == telnetDo:
		return d.write([]byte{telnetIAC, telnetWont, c.option})
	case c.code == telnetWill:
		return d.write([]byte{telnetIAC, telnetDont, c.option})
	}
	return nil
}
