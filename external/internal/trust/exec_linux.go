package trust

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lowestFD is above the descriptors that a program is started with, which would take the place of ours before it is
// executed.
const lowestFD = 64

// fix arranges that what is executed is what was read: the descriptor itself.
func (e *Executable) fix() error {
	fd, err := unix.FcntlInt(e.file.Fd(), unix.F_DUPFD_CLOEXEC, lowestFD)
	if err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	name := e.file.Name()
	_ = e.file.Close()
	e.file = os.NewFile(uintptr(fd), name)
	e.Path = fmt.Sprintf("/proc/self/fd/%d", fd)
	return nil
}

// PathOf is what is executed where the program is passed on as descriptor fd.
func (e *Executable) PathOf(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }
