package netif

import (
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Messages of rtnetlink(7): a header, a fixed part, attributes. Everything is in the byte order of the machine and
// aligned to 4 bytes. The kernel wrote them, but nothing here trusts a length in them.

const (
	maxName     = unix.IFNAMSIZ - 1
	maxAltName  = 127    // ALTIFNAMSIZ-1 of linux/if.h
	skipStats   = 8      // RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h
	attrKind    = 0x3fff // NLA_TYPE_MASK of linux/netlink.h
	msgAlign    = unix.NLMSG_ALIGNTO
	headerSize  = unix.SizeofNlMsghdr
	linkSize    = unix.SizeofIfInfomsg
	addrSize    = unix.SizeofIfAddrmsg
	attrHdrSize = unix.SizeofRtAttr
)

var (
	errShort  = errors.New("netlink message ends early")
	errAddr   = errors.New("netlink message has no valid address")
	errAnswer = errors.New("netlink answers RTM_GETLINK with another message")
)

// A message is one netlink message, its header taken off.
type message struct {
	kind, flags uint16
	body        []byte
}

// nextMessage takes the first message off b.
func nextMessage(b []byte) (m message, rest []byte, err error) {
	if len(b) < headerSize {
		return m, nil, errShort
	}
	order := binary.NativeEndian
	length := uint64(order.Uint32(b))
	if length < headerSize || length > uint64(len(b)) {
		return m, nil, errShort
	}
	m = message{kind: order.Uint16(b[4:]), flags: order.Uint16(b[6:]), body: b[headerSize:length]}
	return m, b[min(align(int(length)), len(b)):], nil
}

// failure is the error that an NLMSG_ERROR or NLMSG_DONE carries, nil for none.
func (m message) failure() error {
	if len(m.body) < 4 {
		if m.kind == unix.NLMSG_DONE {
			return nil
		}
		return errShort
	}
	if code := int32(binary.NativeEndian.Uint32(m.body)); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// nextAttr takes the first attribute off b; ok is false at the end and at a broken one.
func nextAttr(b []byte) (kind uint16, value, rest []byte, ok bool) {
	if len(b) < attrHdrSize {
		return 0, nil, nil, false
	}
	length := int(binary.NativeEndian.Uint16(b))
	if length < attrHdrSize || length > len(b) {
		return 0, nil, nil, false
	}
	kind = binary.NativeEndian.Uint16(b[2:]) & attrKind
	return kind, b[attrHdrSize:length], b[min(align(length), len(b)):], true
}

func align(n int) int { return (n + msgAlign - 1) &^ (msgAlign - 1) }

// A dumped gathers the parts of a list.
type dumped struct {
	events []event
	done   bool
	err    error // the first
}

func (d *dumped) take(part []byte) {
	for len(part) > 0 && !d.done {
		m, rest, err := nextMessage(part)
		if err != nil {
			d.fail(err)
			d.done = true // there is no telling where the list ends
			return
		}
		d.message(m)
		part = rest
	}
}

func (d *dumped) message(m message) {
	if m.flags&unix.NLM_F_DUMP_INTR != 0 {
		d.fail(errInterrupted)
	}
	if m.kind == unix.NLMSG_DONE || m.kind == unix.NLMSG_ERROR {
		d.done = true
		d.fail(os.NewSyscallError("netlink dump", m.failure()))
		return
	}
	e, ok, err := parseEvent(m)
	d.fail(err)
	if ok {
		d.events = append(d.events, e)
	}
}

func (d *dumped) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// parseLinkAnswer reads the answer to an RTM_GETLINK for one interface, of which the end may be missing.
func parseLinkAnswer(b []byte) (Interface, error) {
	if len(b) >= headerSize {
		// Only the attributes at the end may be missing: the header says more than there is.
		binary.NativeEndian.PutUint32(b, min(binary.NativeEndian.Uint32(b), uint32(len(b))))
	}
	m, _, err := nextMessage(b)
	if err != nil {
		return Interface{}, err
	}
	switch m.kind {
	case unix.RTM_NEWLINK:
		return parseLink(m.body)
	case unix.NLMSG_ERROR:
		return Interface{}, linkFailure(m.failure())
	}
	return Interface{}, errAnswer
}

func linkFailure(err error) error {
	switch {
	case err == nil:
		return errAnswer
	case errors.Is(err, unix.ENODEV):
		return ErrNoInterface
	}
	return os.NewSyscallError("RTM_GETLINK", err)
}
