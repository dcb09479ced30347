package sockopt

import "golang.org/x/sys/unix"

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
		return unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, true
	case keepAliveInterval:
		return unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, true
	case keepAliveCount:
		return unix.IPPROTO_TCP, unix.TCP_KEEPCNT, true
	case congestion:
		return unix.IPPROTO_TCP, unix.TCP_CONGESTION, true
	}
	return commonOpt(k)
}

func queueLimit(fd uintptr) (int, bool) {
	n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_LISTENQLIMIT)
	return n, err == nil
}

func isMPTCP(uintptr) bool { return false }

func getText(fd uintptr, level, name int) (string, error) {
	return unix.GetsockoptString(int(fd), level, name)
}
