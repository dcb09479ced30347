package starttls

import (
	"errors"
	"fmt"
)

// maxBER is the longest element that is taken, in bytes of its content. What is said before TLS is much shorter.
const maxBER = maxLine

// A berElement is an element of BER (X.690 section 8.1) of definite length, as RFC 4511 section 5.1 restricts it, and with a tag
// of one byte: LDAP has no others.
type berElement struct {
	tag     byte
	content []byte
}

// Tags of universal types, X.680 section 8.4.
const (
	berBoolean    = 0x01
	berInteger    = 0x02
	berOctets     = 0x04
	berEnumerated = 0x0a
	berSequence   = 0x30
)

var errShortBER = errors.New("an element ends too early")

// berHead takes the head of an element apart: tag, bytes of the head, bytes of the content. The head is 0 where b does not
// have all of it.
func berHead(b []byte) (tag byte, head, size int, err error) {
	if len(b) < 2 {
		return 0, 0, 0, nil
	}
	tag = b[0]
	if tag&0x1f == 0x1f {
		return 0, 0, 0, fmt.Errorf("the tag %#x has several bytes", tag)
	}
	if b[1] < 0x80 {
		return tag, 2, int(b[1]), nil
	}
	// The length may have more bytes than it needs: Active Directory gives it four.
	more := int(b[1] & 0x7f)
	if more == 0 || more > 4 {
		return 0, 0, 0, fmt.Errorf("a length of the form %#x", b[1])
	}
	if len(b) < 2+more {
		return 0, 0, 0, nil
	}
	length := uint32(0)
	for _, c := range b[2 : 2+more] {
		length = length<<8 | uint32(c)
	}
	if length > maxBER {
		return 0, 0, 0, fmt.Errorf("an element of %d bytes", length)
	}
	return tag, 2 + more, int(length), nil
}

// berAll takes b apart, which has nothing but whole elements.
func berAll(b []byte) ([]berElement, error) {
	var all []berElement
	for len(b) > 0 {
		tag, head, size, err := berHead(b)
		switch {
		case err != nil:
			return nil, err
		case head == 0 || len(b) < head+size:
			return nil, errShortBER
		}
		all = append(all, berElement{tag, b[head : head+size]})
		b = b[head+size:]
	}
	return all, nil
}

// number is the value of an INTEGER or ENUMERATED that is not negative and has at most 31 bits.
func (e berElement) number() (int32, error) {
	c := e.content
	switch {
	case len(c) == 0 || len(c) > 4:
		return 0, fmt.Errorf("an integer of %d bytes", len(c))
	case c[0] >= 0x80:
		return 0, errors.New("a negative integer")
	case len(c) > 1 && c[0] == 0 && c[1] < 0x80:
		return 0, errors.New("an integer with a zero too much") // X.690 section 8.3.2
	}
	n := int32(0)
	for _, b := range c {
		n = n<<8 | int32(b)
	}
	return n, nil
}

// berEncode makes an element of parts, which have less than 128 bytes together.
func berEncode(tag byte, parts ...[]byte) []byte {
	var content []byte
	for _, p := range parts {
		content = append(content, p...)
	}
	return append([]byte{tag, byte(len(content))}, content...)
}

// sequence reads a SEQUENCE from the connection, and returns what it is made of.
func (d *dialogue) sequence() ([]berElement, error) {
	for {
		_, head, size, err := berHead(d.buffer)
		switch {
		case err != nil:
			return nil, d.broken(string(d.buffer), "%w", err)
		case len(d.buffer) > 0 && d.buffer[0] != berSequence:
			return nil, d.broken(string(d.buffer), "the tag %#x where a SEQUENCE is due", d.buffer[0])
		case head > 0 && len(d.buffer) >= head+size:
			raw := d.consume(head + size)
			all, err := berAll(raw[head:])
			if err != nil {
				return nil, d.broken(string(raw), "%w", err)
			}
			return all, nil
		}
		if err := d.read(); err != nil {
			return nil, err
		}
	}
}
