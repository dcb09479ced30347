package sockopt

import (
	"net"
	"strconv"
	"syscall"
	"time"
)

// A Setting is an option that a socket has, written as a parameter would be.
type Setting struct {
	Name  string
	Value string
}

// A reader turns what getsockopt returns for key into a parameter's text.
type reader struct {
	name  string
	key   key
	when  uint // any of the bits below that the socket must have
	print func(int) string
}

const (
	always uint = 1 << iota
	ipv4Socket
	ipv6Socket
	streamSocket
	listeningSocket
	otherStream // a stream socket that does not listen
)

func readers() []reader {
	return []reader{
		{"v6only", v6Only, ipv6Socket, yesNo},
		{"nodelay", noDelay, streamSocket, yesNo},
		{"keepAlive", keepAlive, streamSocket, yesNo},
		{"keepAliveIdle", keepAliveIdle, streamSocket, seconds},
		{"keepAliveInterval", keepAliveInterval, streamSocket, seconds},
		{"keepAliveCount", keepAliveCount, streamSocket, strconv.Itoa},
		{"reusePort", reusePort, always, yesNo},
		{"freeBind", freeBind, always, yesNo},
		{"transparent", transparent, always, yesNo},
		{"bindToDevice", bindToDevice, always, nil},
		{"mark", mark, always, unsigned},
		{"tos", tos, ipv4Socket, strconv.Itoa},
		{"trafficClass", trafficClass, ipv6Socket, strconv.Itoa},
		{"priority", priority, always, unsigned},
		{"rcvbuf", rcvBuf, always, strconv.Itoa},
		{"sndbuf", sndBuf, always, strconv.Itoa},
		{"congestion", congestion, streamSocket, nil},
		{"userTimeout", userTimeout, streamSocket, milliseconds},
		{"deferAccept", deferAccept, listeningSocket, seconds},
		{"fastOpen", fastOpenListen, listeningSocket, yesNo},
		{"fastOpen", fastOpenConnect, otherStream, yesNo},
	}
}

// Read returns the options that the kernel has for c, under the names of the parameters, in a fixed order: what it
// made of them (Linux doubles rcvbuf, for one), not what was asked for. Of a listener it also tells the backlog that is
// in force. Options that the system lacks or will not tell are left out; for a closed c the list is empty.
func Read(c syscall.Conn) []Setting {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	var list []Setting
	err = raw.Control(func(fd uintptr) { list = readAll(fd) })
	if err != nil {
		return nil
	}
	return list
}

func readAll(fd uintptr) []Setting {
	ipv6, stream, listening := kind(fd)
	var list []Setting
	if n, ok := queueLimit(fd); ok && listening {
		list = append(list, Setting{"backlog", strconv.Itoa(n)})
	}
	bits := socketBits(ipv6, stream, listening)
	for _, r := range readers() {
		if r.when&bits == 0 {
			continue
		}
		if value, ok := r.read(fd, ipv6); ok {
			list = append(list, Setting{r.name, value})
		}
	}
	if stream {
		list = append(list, Setting{"mptcp", yesNo(bit(isMPTCP(fd)))})
	}
	return list
}

func socketBits(ipv6, stream, listening bool) uint {
	bits := always
	if ipv6 {
		bits |= ipv6Socket
	} else {
		bits |= ipv4Socket
	}
	switch {
	case stream && listening:
		bits |= streamSocket | listeningSocket
	case stream:
		bits |= streamSocket | otherStream
	}
	return bits
}

func (r reader) read(fd uintptr, ipv6 bool) (string, bool) {
	level, name, ok := sysopt(r.key, ipv6)
	if !ok {
		return "", false
	}
	if r.print == nil {
		text, err := getText(fd, level, name)
		return text, err == nil
	}
	n, err := getInt(fd, level, name)
	if err != nil {
		return "", false
	}
	return r.print(n), true
}

func yesNo(n int) string {
	if n != 0 {
		return "yes"
	}
	return "no"
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// unsigned undoes the sign that an int makes of the upper half of a 32-bit number.
func unsigned(n int) string { return strconv.FormatUint(uint64(uint32(n)), 10) }

func seconds(n int) string { return (time.Duration(n) * time.Second).String() }

func milliseconds(n int) string { return (time.Duration(n) * time.Millisecond).String() }

// Both kinds of sockets that this package is for can be asked.
var (
	_ syscall.Conn = (*net.TCPListener)(nil)
	_ syscall.Conn = (*net.TCPConn)(nil)
)
