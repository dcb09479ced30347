//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package supervise

import (
	"os"

	"golang.org/x/sys/unix"
)

// available reads what a pipe holds, without waiting for more.
func available(pipe *os.File) []byte {
	raw, err := pipe.SyscallConn()
	if err != nil {
		return nil
	}
	var n int
	buf := make([]byte, pipeSize)
	err = raw.Read(func(fd uintptr) bool {
		n, _ = unix.Read(int(fd), buf)
		return true
	})
	if err != nil {
		return nil
	}
	return buf[:max(n, 0)]
}

// killGroup kills all processes of the group that pid leads.
func killGroup(pid int) {
	if pid > 1 {
		_ = unix.Kill(-pid, unix.SIGKILL)
	}
}
