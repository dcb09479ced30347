//go:build unix

package tcpsock

import (
	"net"
	"os"
	"syscall"
)

// backlogWorks tells whether setBacklog does.
const backlogWorks = true

// setBacklog calls listen(2) once more: package net has called it with the largest backlog that the system lets, and
// the call on a listening socket changes just that.
func setBacklog(ln *net.TCPListener, n int) error {
	raw, err := ln.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = syscall.Listen(int(fd), n) }); err != nil {
		return err
	}
	return os.NewSyscallError("listen", failed)
}
