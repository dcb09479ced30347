package mcast

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// prepare lets others bind the port too, if wanted, and switches off what the kernel does by default: to give a socket
// what any other socket of the host has joined (IP_MULTICAST_ALL in ip(7), IPV6_MULTICAST_ALL).
func prepare(c syscall.RawConn, network string, reuse bool) error {
	var failed error
	err := c.Control(func(fd uintptr) { failed = prepareFD(int(fd), network, reuse) })
	if err != nil {
		return err
	}
	return failed
}

func prepareFD(fd int, network string, reuse bool) error {
	if reuse {
		if err := set(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, "SO_REUSEADDR", 1); err != nil {
			return err
		}
	}
	if strings.HasSuffix(network, "4") {
		return set(fd, unix.SOL_IP, unix.IP_MULTICAST_ALL, "IP_MULTICAST_ALL", 0)
	}
	err := set(fd, unix.SOL_IPV6, unix.IPV6_MULTICAST_ALL, "IPV6_MULTICAST_ALL", 0)
	if errors.Is(err, unix.ENOPROTOOPT) {
		return nil // before Linux 4.20 only the check of each datagram's destination is left
	}
	return err
}

func set(fd, level, name int, text string, value int) error {
	if err := unix.SetsockoptInt(fd, level, name, value); err != nil {
		return fmt.Errorf("socket option %s: %w", text, os.NewSyscallError("setsockopt", err))
	}
	return nil
}
