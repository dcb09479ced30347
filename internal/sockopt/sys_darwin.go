package sockopt

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// sysopt returns what setsockopt(2) calls k, and whether this system has it.
func sysopt(k key, _ bool) (level, name int, ok bool) {
	switch k {
	case reusePort:
		return unix.SOL_SOCKET, unix.SO_REUSEPORT, true
	case tos:
		return unix.IPPROTO_IP, unix.IP_TOS, true
	case trafficClass:
		return unix.IPPROTO_IPV6, unix.IPV6_TCLASS, true
	case keepAliveIdle:
		return unix.IPPROTO_TCP, unix.TCP_KEEPALIVE, true
	case keepAliveInterval:
		return unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, true
	case keepAliveCount:
		return unix.IPPROTO_TCP, unix.TCP_KEEPCNT, true
	}
	return commonOpt(k)
}

func queueLimit(uintptr) (int, bool) { return 0, false }

func isMPTCP(uintptr) bool { return false }

func getText(uintptr, int, int) (string, error) { return "", syscall.ENOPROTOOPT }
