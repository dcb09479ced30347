package starttls

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Limits of what a peer may say before TLS, in bytes and lines.
const (
	maxLine     = 4 << 10 // a line with its end; a protocol may have less
	maxLines    = 128     // of one reply
	maxDialogue = 64 << 10
)

// A dialogue is what is said in plain text before TLS, on either side. It never reads more than the limits allow, and knows
// what it has read beyond what was asked for.
type dialogue struct {
	conn     net.Conn
	protocol string
	stage    Stage
	lineMax  int // of this protocol

	buffer []byte // read, and not consumed
	total  int    // bytes read so far
	kept   []byte // what a plain connection has to begin with, see keep
	spoken []byte // consumed so far, for keep
	direct bool   // the client began with TLS: what is in the buffer belongs to that
	over   bool   // the peer ends the connection with its refusal: there is nothing to go on with in plain text
}

func newDialogue(conn net.Conn, protocol string) *dialogue {
	return &dialogue{conn: conn, protocol: protocol, stage: StageGreeting, lineMax: maxLine}
}

// fail makes an error of this stage; reply is what the peer said.
func (d *dialogue) fail(err error, reply string) error {
	return &Error{Protocol: d.protocol, Stage: d.stage, Err: err, Reply: capped(reply)}
}

// broken is a fail that says how the peer departs from the protocol.
func (d *dialogue) broken(reply, format string, args ...any) error {
	return d.fail(fmt.Errorf("%w: "+format, append([]any{ErrProtocol}, args...)...), reply)
}

// read reads what is there, at least one byte, and at most what the limit leaves.
func (d *dialogue) read() error {
	room := maxDialogue - d.total
	if room <= 0 {
		return d.broken("", "more than %d bytes before TLS", maxDialogue)
	}
	return d.readInto(min(room, maxLine))
}

func (d *dialogue) readInto(room int) error {
	old := len(d.buffer)
	d.buffer = append(d.buffer, make([]byte, room)...)
	n, err := d.conn.Read(d.buffer[old:])
	d.buffer = d.buffer[:old+n]
	d.total += n
	switch {
	case n > 0:
		return nil
	case err == nil:
		err = io.ErrNoProgress
	}
	return d.ended(err)
}

// ended makes an error of one of the connection's.
func (d *dialogue) ended(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("%w: the peer closed the connection: %w", ErrProtocol, io.ErrUnexpectedEOF)
	case errors.As(err, &timeout) && timeout.Timeout():
		err = fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return d.fail(err, string(d.buffer))
}

// consume takes n bytes out of the buffer.
func (d *dialogue) consume(n int) []byte {
	b := d.buffer[:n:n]
	d.buffer = d.buffer[n:]
	d.spoken = append(d.spoken, b...)
	return b
}

// line reads a line and returns it without its end, which has to be CR LF (RFC 5321 section 2.3.8): whoever takes less can
// be made to see lines where others see none.
func (d *dialogue) line() (string, error) {
	for searched := 0; ; {
		if i := bytes.IndexByte(d.buffer[searched:], '\n'); i >= 0 {
			return d.checkLine(d.consume(searched + i + 1))
		}
		if searched = len(d.buffer); searched >= d.lineMax {
			return "", d.broken(string(d.buffer), "a line of more than %d bytes", d.lineMax)
		}
		if err := d.read(); err != nil {
			return "", err
		}
	}
}

func (d *dialogue) checkLine(raw []byte) (string, error) {
	text, ok := strings.CutSuffix(string(raw), "\r\n")
	switch {
	case len(raw) > d.lineMax:
		return "", d.broken(text, "a line of more than %d bytes", d.lineMax)
	case !ok || strings.ContainsAny(text, "\r\n"):
		return "", d.broken(string(raw), "a line does not end in CR LF")
	case strings.ContainsRune(text, 0):
		return "", d.broken(text, "a NUL in a line")
	}
	return text, nil
}

// next reads n bytes.
func (d *dialogue) next(n int) ([]byte, error) {
	for len(d.buffer) < n {
		if err := d.read(); err != nil {
			return nil, err
		}
	}
	return d.consume(n), nil
}

// exactly reads n bytes and not one more, so that what is behind them stays with the connection. The buffer has to be
// empty.
func (d *dialogue) exactly(n int) ([]byte, error) {
	for len(d.buffer) < n {
		if err := d.readInto(n - len(d.buffer)); err != nil {
			return nil, err
		}
	}
	return d.consume(n), nil
}

// keep says that what has been read so far is what a plain connection begins with, should there be no TLS.
func (d *dialogue) keep() { d.kept = d.spoken[:len(d.spoken):len(d.spoken)] }

// write writes in one piece.
func (d *dialogue) write(b []byte) error {
	if _, err := d.conn.Write(b); err != nil {
		return d.ended(err)
	}
	return nil
}

// say writes a line.
func (d *dialogue) say(format string, args ...any) error {
	return d.write([]byte(fmt.Sprintf(format, args...) + "\r\n"))
}

// clean checks that nothing came behind what was read last: what is in plain text after the go-ahead, or the request for
// it, would be taken for encrypted.
func (d *dialogue) clean() error {
	if len(d.buffer) == 0 {
		return nil
	}
	return d.fail(ErrInjection, string(d.buffer))
}

// goAhead is a server's last word in plain text. It is not said if the client did not wait for it.
func (d *dialogue) goAhead(b []byte) error {
	if err := d.clean(); err != nil {
		return err
	}
	return d.write(b)
}

// rest is the connection for TLS. There is something in the buffer only where the client began with TLS at once.
func (d *dialogue) rest() net.Conn { return withPrefix(d.conn, d.buffer) }
