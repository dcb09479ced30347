//go:build unix

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// width uses SyscallConn and not Fd, which would make the file blocking. Only terminals have a window size.
func width(f *os.File) (columns int, ok bool) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(fd uintptr) {
		size, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
		if err == nil {
			columns, ok = int(size.Col), true
		}
	})
	return columns, ok && err == nil
}
