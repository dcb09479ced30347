package packetinfo

import (
	"bytes"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A nameRequest asks for the name of an interface by SIOCGIFNAME, netdevice(7), which unlike rtnetlink needs no socket
// of its own and speaks of the namespace of the socket that it is asked on. It is made once, because what is handed to
// RawConn.Control would else be allocated each time.
type nameRequest struct {
	request struct {
		name  [unix.IFNAMSIZ]byte
		index int32
		_     [20]byte // the union is larger than an index
	}
	errno   unix.Errno
	control func(fd uintptr)
}

func (r *nameRequest) init() {
	r.control = func(fd uintptr) {
		_, _, r.errno = unix.Syscall(unix.SYS_IOCTL, fd, unix.SIOCGIFNAME, uintptr(unsafe.Pointer(&r.request)))
	}
}

// name returns the name of the interface; the bytes are overwritten by the next call.
func (r *nameRequest) name(c syscall.RawConn, index int) (name []byte, found bool) {
	r.request.index = int32(index)
	if err := c.Control(r.control); err != nil || r.errno != 0 {
		return nil, false
	}
	name, _, found = bytes.Cut(r.request.name[:], []byte{0})
	return name, found
}
