//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package fdpass

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Supported reports whether descriptors can be passed on this system.
const Supported = true

// pairBuffer holds the largest datagram of the internet with its address.
const pairBuffer = 256 << 10

// Listening reports whether a socket listens.
func Listening(f *os.File) bool {
	listening := 0
	if raw, err := f.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			listening, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		})
	}
	return listening != 0
}

// StreamPair and DatagramPair make two connected unix sockets that no program inherits by accident.
func StreamPair() (a, b *os.File, err error)   { return socketPair(unix.SOCK_STREAM) }
func DatagramPair() (a, b *os.File, err error) { return socketPair(unix.SOCK_DGRAM) }

// Pair makes a line: our end, and the file to start the other process with.
func Pair() (*Conn, *os.File, error) {
	ours, theirs, err := socketPair(lineType())
	if err != nil {
		return nil, nil, err
	}
	conn, err := New(ours)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return conn, theirs, nil
}

// lineType is SOCK_SEQPACKET, which tells when the other end is closed; Darwin's unix sockets don't have it.
func lineType() int {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return unix.SOCK_DGRAM
	}
	return unix.SOCK_SEQPACKET
}

// New makes an end of a line of file, and closes it.
func New(file *os.File) (*Conn, error) {
	defer file.Close()
	c, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	socket, ok := c.(*net.UnixConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("descriptor %d is no unix socket", file.Fd())
	}
	return newConn(socket), nil
}

func socketPair(typ int) (a, b *os.File, err error) {
	syscall.ForkLock.RLock() // no program may be started between the two calls
	defer syscall.ForkLock.RUnlock()
	fds, err := unix.Socketpair(unix.AF_UNIX, typ, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		_ = unix.SetNonblock(fd, true)
		if typ == unix.SOCK_DGRAM { // where it is the bound of a message's size
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, pairBuffer)
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, pairBuffer)
		}
	}
	return os.NewFile(uintptr(fds[0]), "socketpair"), os.NewFile(uintptr(fds[1]), "socketpair"), nil
}

func (c *Conn) writeMessage(b []byte, fd int) error {
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	_, _, err := c.socket.WriteMsgUnix(b, rights, nil)
	return err
}

// receive reads one message. Whatever descriptors come are closed if they are not what the message should carry.
func (c *Conn) receive() (message, *os.File, error) {
	var buf [headerSize + maxText + 1]byte
	var control [128]byte // room for more descriptors than are right, so as to know of them
	n, controlSize, flags, _, err := c.socket.ReadMsgUnix(buf[:], control[:])
	if err != nil {
		return message{}, nil, err
	}
	fds, err := descriptors(control[:controlSize])
	if n == 0 && len(fds) == 0 {
		return message{}, nil, io.EOF
	}
	var m message
	switch {
	case err != nil:
	case flags&unix.MSG_CTRUNC != 0:
		err = errors.New("a message came with more descriptors than any should have")
	default:
		m, err = parse(buf[:n], len(fds))
	}
	if err != nil {
		closeAll(fds)
		return message{}, nil, err
	}
	if m.kind != kindDescriptor {
		return m, nil, nil
	}
	return m, os.NewFile(uintptr(fds[0]), "passed"), nil
}

func descriptors(control []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	var all []int
	for i := range messages {
		fds, bad := unix.ParseUnixRights(&messages[i])
		all, err = append(all, fds...), errors.Join(err, bad)
	}
	return all, err
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}
