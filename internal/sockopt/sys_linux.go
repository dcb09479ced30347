package sockopt

import "golang.org/x/sys/unix"

// sysopt returns what setsockopt(2) calls k, and whether this system has it.
func sysopt(k key, ipv6 bool) (level, name int, ok bool) {
	switch k {
	case reusePort:
		return unix.SOL_SOCKET, unix.SO_REUSEPORT, true
	case bindToDevice:
		return unix.SOL_SOCKET, unix.SO_BINDTODEVICE, true
	case mark:
		return unix.SOL_SOCKET, unix.SO_MARK, true
	case priority:
		return unix.SOL_SOCKET, unix.SO_PRIORITY, true
	case tos:
		return unix.SOL_IP, unix.IP_TOS, true
	case trafficClass:
		return unix.SOL_IPV6, unix.IPV6_TCLASS, true
	case bindLate:
		return unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, true
	case freeBind:
		return choose(ipv6, unix.IP_FREEBIND, unix.IPV6_FREEBIND)
	case transparent:
		return choose(ipv6, unix.IP_TRANSPARENT, unix.IPV6_TRANSPARENT)
	}
	if level, name, ok = tcpOpt(k); ok {
		return level, name, ok
	}
	return commonOpt(k)
}

func choose(ipv6 bool, name4, name6 int) (level, name int, ok bool) {
	if ipv6 {
		return unix.SOL_IPV6, name6, true
	}
	return unix.SOL_IP, name4, true
}

func tcpOpt(k key) (level, name int, ok bool) {
	switch k {
	case keepAliveIdle:
		name = unix.TCP_KEEPIDLE
	case keepAliveInterval:
		name = unix.TCP_KEEPINTVL
	case keepAliveCount:
		name = unix.TCP_KEEPCNT
	case congestion:
		name = unix.TCP_CONGESTION
	case userTimeout:
		name = unix.TCP_USER_TIMEOUT
	case deferAccept:
		name = unix.TCP_DEFER_ACCEPT
	case fastOpenListen:
		name = unix.TCP_FASTOPEN
	case fastOpenConnect:
		name = unix.TCP_FASTOPEN_CONNECT
	default:
		return 0, 0, false
	}
	return unix.SOL_TCP, name, true
}

// queueLimit returns how many connections may wait to be accepted: of a listening socket, TCP_INFO tells it in the
// field that otherwise counts segments (tcp_get_info in the kernel's net/ipv4/tcp.c).
func queueLimit(fd uintptr) (int, bool) {
	info, err := unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, false
	}
	return int(info.Sacked), true
}

func isMPTCP(fd uintptr) bool {
	protocol, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL)
	return err == nil && protocol == unix.IPPROTO_MPTCP
}

func getText(fd uintptr, level, name int) (string, error) {
	return unix.GetsockoptString(int(fd), level, name)
}
