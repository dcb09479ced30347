package netif

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"
)

// appendLinkQuery appends an RTM_GETLINK for the interface with the given index or name. With neither, and flags that
// say so, it is for all interfaces.
func appendLinkQuery(b []byte, flags uint16, index int, name string) []byte {
	start := len(b)
	b = appendHeader(b, unix.RTM_GETLINK, flags)
	b = append(b, unix.AF_UNSPEC, 0, 0, 0)
	b = binary.NativeEndian.AppendUint32(b, uint32(index))
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = appendSkipStats(b)
	if name != "" {
		b = appendName(b, name)
	}
	return finish(b, start)
}

// appendAddrQuery appends an RTM_GETADDR for all addresses.
func appendAddrQuery(b []byte) []byte {
	start := len(b)
	b = appendHeader(b, unix.RTM_GETADDR, unix.NLM_F_DUMP)
	return finish(append(b, unix.AF_UNSPEC, 0, 0, 0, 0, 0, 0, 0), start)
}

// appendHeader appends the header of a request, of which finish fills in the length.
func appendHeader(b []byte, kind, flags uint16) []byte {
	order := binary.NativeEndian
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, kind)
	b = order.AppendUint16(b, flags|unix.NLM_F_REQUEST)
	b = order.AppendUint32(b, 1)
	return order.AppendUint32(b, 0)
}

func finish(b []byte, start int) []byte {
	binary.NativeEndian.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

// validName says whether the kernel can be asked for an interface of that name. Whether it could have one does not
// matter: then it answers that there is none.
func validName(name string) bool {
	return name != "" && len(name) <= maxAltName && !strings.Contains(name, "\x00")
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
