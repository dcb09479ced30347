package peerscript

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"
)

const maxLine = 64 << 10

func (p *player) send(b []byte) error {
	_, err := p.rw.Write(p.expand(b))
	return err
}

func (p *player) split(b []byte, n int) error {
	for b := p.expand(b); len(b) > 0; b = b[min(n, len(b)):] {
		if _, err := p.rw.Write(b[:min(n, len(b))]); err != nil {
			return err
		}
	}
	return nil
}

// drip writes until the other side has gone, which is no error: a feed that is too slow is there to be cut off.
func (p *player) drip(b []byte, gap time.Duration) error {
	for _, c := range p.expand(b) {
		if _, err := p.rw.Write([]byte{c}); err != nil {
			return nil
		}
		time.Sleep(gap)
	}
	return nil
}

func (p *player) repeat(b []byte, n int) error {
	b = p.expand(b)
	for range n {
		if _, err := p.rw.Write(b); err != nil {
			return nil
		}
	}
	return nil
}

// bytes reads n bytes.
func (p *player) bytes(n int) ([]byte, error) {
	for len(*p.ahead()) < n {
		if err := p.fill(); err != nil {
			return nil, p.short(err)
		}
	}
	return p.take(n), nil
}

// short says what came in place of what was to come.
func (p *player) short(err error) error {
	if errors.Is(err, io.EOF) {
		err = errors.New("the other side closed the connection")
	}
	return fmt.Errorf("%w; before that came %q", err, *p.ahead())
}

func (p *player) exact(want []byte) error {
	want = p.expand(want)
	got, err := p.bytes(len(want))
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("%q came", got)
	}
	return err
}

func (p *player) until(text []byte) error {
	text = p.expand(text)
	for {
		if i := bytes.Index(*p.ahead(), text); i >= 0 {
			p.take(i + len(text))
			return nil
		}
		if len(*p.ahead()) > maxLine {
			return fmt.Errorf("not in the first %d bytes", maxLine)
		}
		if err := p.fill(); err != nil {
			return p.short(err)
		}
	}
}

// readLine reads a line and returns it without its CRLF.
func (p *player) readLine() (string, error) {
	for {
		i := bytes.IndexByte(*p.ahead(), '\n')
		switch {
		case i > 0 && (*p.ahead())[i-1] == '\r':
			return string(p.take(i + 1)[:i-1]), nil
		case i >= 0:
			return "", fmt.Errorf("%q came, a line that does not end in CRLF", p.take(i+1))
		case len(*p.ahead()) > maxLine:
			return "", fmt.Errorf("a line of more than %d bytes came", maxLine)
		}
		if err := p.fill(); err != nil {
			return "", p.short(err)
		}
	}
}

func (p *player) prefix(want []byte) error {
	line, err := p.readLine()
	if err == nil && !bytes.HasPrefix([]byte(line), p.expand(want)) {
		err = fmt.Errorf("%q came", line)
	}
	return err
}

func (p *player) matchLine(re *regexp.Regexp) error {
	line, err := p.readLine()
	if err == nil && !p.match(re, line) {
		err = fmt.Errorf("%q came", line)
	}
	return err
}

func (p *player) untilLine(re *regexp.Regexp) error {
	for {
		line, err := p.readLine()
		if err != nil || p.match(re, line) {
			return err
		}
	}
}

// match keeps what the named groups of re match.
func (p *player) match(re *regexp.Regexp, line string) bool {
	m := re.FindStringSubmatch(line)
	for i, name := range re.SubexpNames() {
		if m != nil && name != "" {
			p.vars[name] = m[i]
		}
	}
	return m != nil
}

// ber reads an element of BER with a definite length (ITU-T X.690 section 8.1).
func (p *player) ber(contents []byte) error {
	head, err := p.bytes(2)
	if err != nil {
		return err
	}
	n := int(head[1])
	if n >= 0x80 {
		more, err := p.bytes(n & 0x7f)
		if err != nil {
			return err
		}
		n = 0
		for _, c := range more {
			n = n<<8 | int(c)
		}
	}
	if n > maxLine {
		return fmt.Errorf("an element of %d bytes came", n)
	}
	got, err := p.bytes(n)
	if err == nil && !bytes.HasPrefix(got, contents) {
		err = fmt.Errorf("%x came", got)
	}
	return err
}

// packet reads a packet of MySQL: length in three bytes, low byte first, sequence number, contents.
func (p *player) packet() error {
	head, err := p.bytes(4)
	if err != nil {
		return err
	}
	_, err = p.bytes(int(head[0]) | int(head[1])<<8 | int(head[2])<<16)
	return err
}

// awaitHello waits for the first byte of a record.
func (p *player) awaitHello() error {
	for len(p.wire.pending) == 0 {
		if err := p.fill(); err != nil {
			return p.short(err)
		}
	}
	if !couldBeRecord(p.wire.pending) {
		return fmt.Errorf("%q came", p.wire.pending)
	}
	return nil
}

func (p *player) noPlaintext() error {
	p.guarded, p.allowed = true, len(p.wire.rec.plain)
	return nil
}

func (p *player) allowClose() error {
	p.mayClose = true
	return nil
}

func (p *player) silent() error {
	p.drain()
	return nil
}

func (p *player) eof() error {
	before := len(p.wire.rec.plain)
	p.drain()
	switch {
	case len(p.wire.rec.plain) > before:
		return fmt.Errorf("%q came", p.wire.rec.plain[before:])
	case !p.wire.closed:
		return errors.New("the other side did not close the connection")
	}
	return nil
}

// drain reads on, inside TLS and below it, until the other side closes.
func (p *player) drain() {
	b := make([]byte, 4096)
	for p.inTLS() {
		n, err := p.rw.Read(b)
		p.app = append(p.app, b[:n]...)
		if err != nil {
			break
		}
	}
	for {
		if _, err := p.wire.Read(b); err != nil {
			break
		}
	}
	p.wire.rec.end()
}

func (p *player) halfClose() error {
	c, ok := p.wire.Conn.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("%T can't be half closed", p.wire.Conn)
	}
	return c.CloseWrite()
}

func (p *player) close() error { return p.wire.Close() }
