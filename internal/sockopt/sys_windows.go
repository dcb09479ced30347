package sockopt

import "golang.org/x/sys/windows"

const (
	soType       = 0x1008 // SO_TYPE and SO_ACCEPTCONN of winsock2.h
	soAcceptConn = 0x2
)

// sysopt returns what setsockopt calls k, and whether this system has it.
func sysopt(k key, _ bool) (level, name int, ok bool) {
	switch k {
	case rcvBuf:
		return windows.SOL_SOCKET, windows.SO_RCVBUF, true
	case sndBuf:
		return windows.SOL_SOCKET, windows.SO_SNDBUF, true
	case keepAlive:
		return windows.SOL_SOCKET, windows.SO_KEEPALIVE, true
	case v6Only:
		return windows.IPPROTO_IPV6, windows.IPV6_V6ONLY, true
	case noDelay:
		return windows.IPPROTO_TCP, windows.TCP_NODELAY, true
	case keepAliveIdle:
		return windows.IPPROTO_TCP, windows.TCP_KEEPIDLE, true
	case keepAliveInterval:
		return windows.IPPROTO_TCP, windows.TCP_KEEPINTVL, true
	case keepAliveCount:
		return windows.IPPROTO_TCP, windows.TCP_KEEPCNT, true
	}
	return 0, 0, false
}

func setInt(fd uintptr, level, name, value int) error {
	return windows.SetsockoptInt(windows.Handle(fd), level, name, value)
}

func setText(uintptr, int, int, string) error { return windows.ERROR_NOT_SUPPORTED }

func getInt(fd uintptr, level, name int) (int, error) {
	return windows.GetsockoptInt(windows.Handle(fd), level, name)
}

func getText(uintptr, int, int) (string, error) { return "", windows.ERROR_NOT_SUPPORTED }

func kind(fd uintptr) (ipv6, stream, listening bool) {
	if sa, err := windows.Getsockname(windows.Handle(fd)); err == nil {
		_, ipv6 = sa.(*windows.SockaddrInet6)
	}
	n, err := getInt(fd, windows.SOL_SOCKET, soType)
	stream = err == nil && n == windows.SOCK_STREAM
	n, err = getInt(fd, windows.SOL_SOCKET, soAcceptConn)
	return ipv6, stream, err == nil && n != 0
}

func queueLimit(uintptr) (int, bool) { return 0, false }

func isMPTCP(uintptr) bool { return false }
