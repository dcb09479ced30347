//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package supervise

import "golang.org/x/sys/unix"

// killGroup kills all processes of the group that pid leads.
func killGroup(pid int) {
	if pid > 1 {
		_ = unix.Kill(-pid, unix.SIGKILL)
	}
}
