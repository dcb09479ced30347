//go:build unix

package sockopt

import "golang.org/x/sys/unix"

// commonOpt is sysopt for the options that every Unix has.
func commonOpt(k key) (level, name int, ok bool) {
	switch k {
	case rcvBuf:
		return unix.SOL_SOCKET, unix.SO_RCVBUF, true
	case sndBuf:
		return unix.SOL_SOCKET, unix.SO_SNDBUF, true
	case keepAlive:
		return unix.SOL_SOCKET, unix.SO_KEEPALIVE, true
	case v6Only:
		return unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, true
	case noDelay:
		return unix.IPPROTO_TCP, unix.TCP_NODELAY, true
	}
	return 0, 0, false
}

func setInt(fd uintptr, level, name, value int) error {
	return unix.SetsockoptInt(int(fd), level, name, value)
}

func setText(fd uintptr, level, name int, value string) error {
	return unix.SetsockoptString(int(fd), level, name, value)
}

func getInt(fd uintptr, level, name int) (int, error) {
	return unix.GetsockoptInt(int(fd), level, name)
}

// kind returns whether fd is an IPv6 socket, a stream, and a listening one.
func kind(fd uintptr) (ipv6, stream, listening bool) {
	if sa, err := unix.Getsockname(int(fd)); err == nil {
		_, ipv6 = sa.(*unix.SockaddrInet6)
	}
	n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE)
	stream = err == nil && n == unix.SOCK_STREAM
	n, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	return ipv6, stream, err == nil && n != 0
}
