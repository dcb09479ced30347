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
	attrHdrSize = unix.SizeofRtAttr
)

var errShort = errors.New("netlink message ends early")

// A message is one netlink message, its header taken off.
type message struct {
	kind, flags uint16
	seq, port   uint32
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
	m = message{
		kind: order.Uint16(b[4:]), flags: order.Uint16(b[6:]),
		seq: order.Uint32(b[8:]), port: order.Uint32(b[12:]),
		body: b[headerSize:length],
	}
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

// A link is what the package reads of an RTM_NEWLINK or RTM_DELLINK.
type link struct {
	index int
	name  string
}

// parseLink reads the body of an RTM_NEWLINK or RTM_DELLINK; attributes may be cut off at the end.
func parseLink(body []byte) (link, error) {
	if len(body) < linkSize {
		return link{}, errShort
	}
	l := link{index: int(int32(binary.NativeEndian.Uint32(body[4:])))}
	for kind, value, rest, ok := nextAttr(body[linkSize:]); ok; kind, value, rest, ok = nextAttr(rest) {
		if kind == unix.IFLA_IFNAME {
			l.name = unix.ByteSliceToString(value)
		}
	}
	return l, nil
}

// parseLinkAnswer reads the answer to an RTM_GETLINK for one interface, of which the end may be missing.
func parseLinkAnswer(b []byte) (link, error) {
	if len(b) >= headerSize {
		// Only the attributes at the end may be missing: the header says more than there is.
		binary.NativeEndian.PutUint32(b, min(binary.NativeEndian.Uint32(b), uint32(len(b))))
	}
	m, _, err := nextMessage(b)
	if err != nil {
		return link{}, err
	}
	switch m.kind {
	case unix.RTM_NEWLINK:
		return parseLink(m.body)
	case unix.NLMSG_ERROR:
		return link{}, linkFailure(m.failure())
	}
	return link{}, errors.New("netlink answers RTM_GETLINK with another message")
}

func linkFailure(err error) error {
	if errors.Is(err, unix.ENODEV) {
		return ErrNoInterface
	}
	return os.NewSyscallError("RTM_GETLINK", err)
}

// validName says whether the kernel could have an interface of that name (dev_valid_name). It answers EINVAL or ERANGE
// to the others.
func validName(name string) bool {
	if name == "" || len(name) > maxAltName || name == "." || name == ".." {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c == '/' || c == ':' || c == 0xa0 {
			return false
		}
	}
	return true
}

// appendLinkQuery appends an RTM_GETLINK for the interface with the given index or, where that is 0, the given name.
func appendLinkQuery(b []byte, index int, name string) []byte {
	order, start := binary.NativeEndian, len(b)
	b = appendHeader(b, unix.RTM_GETLINK, 0)
	b = append(b, unix.AF_UNSPEC, 0, 0, 0)
	b = order.AppendUint32(b, uint32(index))
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = appendSkipStats(b)
	if index == 0 {
		b = appendName(b, name)
	}
	order.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

// appendHeader appends the header of a request; the length is for the caller to put in.
func appendHeader(b []byte, kind, flags uint16) []byte {
	order := binary.NativeEndian
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, kind)
	b = order.AppendUint16(b, flags|unix.NLM_F_REQUEST)
	b = order.AppendUint32(b, 1)
	return order.AppendUint32(b, 0)
}

func appendName(b []byte, name string) []byte {
	kind := uint16(unix.IFLA_IFNAME)
	if len(name) > maxName {
		kind = unix.IFLA_ALT_IFNAME
	}
	size := attrHdrSize + len(name) + 1
	b = binary.NativeEndian.AppendUint16(b, uint16(size))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, name...)
	return append(b, make([]byte, 1+align(size)-size)...)
}

func appendSkipStats(b []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, attrHdrSize+4)
	b = binary.NativeEndian.AppendUint16(b, unix.IFLA_EXT_MASK)
	return binary.NativeEndian.AppendUint32(b, skipStats)
}
