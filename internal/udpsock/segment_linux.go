package udpsock

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// setSegment makes the kernel cut what is written to c into datagrams of size bytes.
func setSegment(c syscall.RawConn, size int) error {
	var failed error
	err := c.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT, size) })
	switch {
	case err != nil:
		return err
	case errors.Is(failed, unix.ENOPROTOOPT):
		return fmt.Errorf("socket option UDP_SEGMENT: this kernel can't cut datagrams (Linux 4.18 and later can): %w",
			os.NewSyscallError("setsockopt", failed))
	case failed != nil:
		return fmt.Errorf("socket option UDP_SEGMENT=%d: %w", size, os.NewSyscallError("setsockopt", failed))
	}
	return nil
}
