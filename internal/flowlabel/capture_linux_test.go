package flowlabel_test

import (
	"encoding/binary"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A capture is a packet socket that sees all IPv6 packets of the network namespace that it was made in.
type capture struct{ fd int }

func newCapture() (*capture, error) {
	const protocol = unix.ETH_P_IPV6<<8&0xff00 | unix.ETH_P_IPV6>>8 // network order, on the little-endian machines that we test on
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	// No read waits for longer than a failed test should take.
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10})
	return &capture{fd}, nil
}

func (c *capture) close() { _ = unix.Close(c.fd) }

// A packet is what the tests want to know of one.
type packet struct {
	label   uint32
	syn     bool
	payload string
}

// until returns the packets to the given destination up to the first one that has this payload.
func (c *capture) until(t *testing.T, to netip.AddrPort, payload string) []packet {
	var list []packet
	buf := make([]byte, 65536)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		n, from, err := unix.Recvfrom(c.fd, buf, 0)
		if err != nil {
			t.Errorf("capture: %v after %v", err, list)
			return list
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); !ok || ll.Pkttype == unix.PACKET_OUTGOING {
			continue // on lo each packet passes twice
		}
		p, ok := parse(buf[:n], to)
		if !ok {
			continue
		}
		if list = append(list, p); p.payload == payload {
			return list
		}
	}
	t.Errorf("the payload %q never came: %v", payload, list)
	return list
}

// parse reads an IPv6 header (RFC 8200 section 3) with TCP or UDP right behind it.
func parse(b []byte, to netip.AddrPort) (packet, bool) {
	if len(b) < 48 || netip.AddrFrom16([16]byte(b[24:40])) != to.Addr().WithZone("") {
		return packet{}, false
	}
	p := packet{label: binary.BigEndian.Uint32(b) & 0xfffff}
	next, transport := b[6], b[40:40+int(binary.BigEndian.Uint16(b[4:]))]
	if binary.BigEndian.Uint16(transport[2:]) != to.Port() {
		return packet{}, false
	}
	switch next {
	case unix.IPPROTO_TCP:
		p.syn = transport[13]&0x02 != 0
		p.payload = string(transport[transport[12]>>4*4:])
	case unix.IPPROTO_UDP:
		p.payload = string(transport[8:])
	default:
		return packet{}, false
	}
	return p, true
}
