// Package sockopt declares the socket options that stream and datagram endpoints share, sets them on a socket before
// package net binds or connects it, and reads back what the kernel has.
//
// The structs are meant to be embedded in a plugin's options: their tags are the declaration of the parameters, and
// the systems named there are the only ones on which this package can set them. The vocabulary is systemd.socket(5)'s,
// the meaning that of socket(7), ip(7), ipv6(7) and tcp(7).
package sockopt

import "time"

// Common are the options of every IP socket.
type Common struct {
	ReusePort    bool    `ep:"reusePort" default:"no" os:"linux,darwin,freebsd" doc:"let other sockets of the same user that ask for it too bind the same address and port (SO_REUSEPORT); on Linux the kernel spreads connections and datagrams over them"`
	FreeBind     bool    `ep:"freeBind" default:"no" os:"linux" doc:"bind an address that the machine does not have yet (IP_FREEBIND)"`
	Transparent  bool    `ep:"transparent" default:"no" os:"linux" doc:"bind an address of another machine, for a transparent proxy (IP_TRANSPARENT); needs CAP_NET_ADMIN"`
	BindToDevice string  `ep:"bindToDevice" os:"linux" doc:"use this interface only (SO_BINDTODEVICE)"`
	Mark         *uint32 `ep:"mark" os:"linux" doc:"mark of outgoing packets, for routing and firewall rules (SO_MARK); needs CAP_NET_ADMIN"`
	TOS          *uint8  `ep:"tos" os:"linux,darwin,freebsd" doc:"type of service of outgoing IPv4 packets, 0 to 255 (IP_TOS): DSCP times 4; TCP keeps the two ECN bits for itself"`
	TrafficClass *uint8  `ep:"trafficClass" os:"linux,darwin,freebsd" doc:"traffic class of outgoing IPv6 packets, 0 to 255 (IPV6_TCLASS): DSCP times 4; TCP keeps the two ECN bits for itself"`
	RcvBuf       *int    `ep:"rcvbuf,size" doc:"receive buffer in bytes (SO_RCVBUF); Linux doubles it and caps it at net.core.rmem_max"`
	SndBuf       *int    `ep:"sndbuf,size" doc:"send buffer in bytes (SO_SNDBUF); Linux doubles it and caps it at net.core.wmem_max"`
}

// Outgoing are the options of IP sockets that send. Listening is not among them: the kernel does not pass a priority on
// to what a socket accepts.
type Outgoing struct {
	Priority *uint32 `ep:"priority" os:"linux" doc:"queueing priority of outgoing packets (SO_PRIORITY); more than 6 needs CAP_NET_ADMIN"`
}

// Stream are the options that listening and connecting TCP sockets have in common.
type Stream struct {
	KeepAlive         bool          `ep:"keepAlive" default:"yes" doc:"probe the peer of an idle connection (SO_KEEPALIVE)"`
	KeepAliveIdle     time.Duration `ep:"keepAliveIdle" default:"15s" os:"linux,darwin,freebsd,windows" doc:"idle time before the first probe, 1s to 32767s; a fraction of a second is rounded up"`
	KeepAliveInterval time.Duration `ep:"keepAliveInterval" default:"15s" os:"linux,darwin,freebsd,windows" doc:"time between probes, 1s to 32767s; a fraction of a second is rounded up"`
	KeepAliveCount    int           `ep:"keepAliveCount" default:"9" os:"linux,darwin,freebsd,windows" doc:"unanswered probes after which the connection is dead, 1 to 127"`
	Congestion        string        `ep:"congestion" os:"linux,freebsd" doc:"congestion control algorithm by the kernel's name, such as cubic (TCP_CONGESTION)"`
	UserTimeout       time.Duration `ep:"userTimeout" default:"0s" os:"linux" doc:"how long sent data may stay unacknowledged before the connection is dead (TCP_USER_TIMEOUT); 0 leaves it to the kernel"`
	MPTCP             bool          `ep:"mptcp" default:"no" os:"linux" doc:"multipath TCP (RFC 8684) where kernel and peer have it, plain TCP where not"`
}

// Listen are the options of a listening TCP socket; the sockets that it accepts inherit them. Get it from the registry
// or from [DefaultListen]: the zero value is valid but turns keep-alive off.
//
// There is no nodelay: package net sets TCP_NODELAY on every connection that a *net.TCPListener accepts. A caller who
// wants Nagle's algorithm there calls SetNoDelay(false) on the connection.
type Listen struct {
	Common
	Stream
	DeferAccept time.Duration `ep:"deferAccept" default:"0s" os:"linux" doc:"accept a connection only when its first bytes are there, at the latest after about this time (TCP_DEFER_ACCEPT); 0 accepts at once"`
	FastOpen    bool          `ep:"fastOpen" default:"no" os:"linux" doc:"take data with the SYN (RFC 7413, TCP_FASTOPEN, 256 pending); needs bit 2 of the sysctl net.ipv4.tcp_fastopen"`
}

// Dial are the options of a connecting TCP socket. Get it from the registry or from [DefaultDial]: the zero value is
// valid but turns keep-alive off and Nagle's algorithm on.
type Dial struct {
	Common
	Outgoing
	Stream
	NoDelay  bool `ep:"nodelay" default:"yes" doc:"send small writes at once (TCP_NODELAY); no is Nagle's algorithm"`
	FastOpen bool `ep:"fastOpen" default:"no" os:"linux" doc:"send the first write with the SYN once the peer's cookie is known (RFC 7413, TCP_FASTOPEN_CONNECT): the caller must write first, and a failed connect shows in that write"`
}

// Packet are the options of a datagram socket. The zero value sets nothing.
type Packet struct {
	Common
	Outgoing
}

// fastOpenQueue is how many connections with data in the SYN may wait for the end of their handshake.
const fastOpenQueue = 256

func defaultStream() Stream {
	return Stream{
		KeepAlive:         true,
		KeepAliveIdle:     15 * time.Second,
		KeepAliveInterval: 15 * time.Second,
		KeepAliveCount:    9,
	}
}

// DefaultListen is what the registry decodes when no option is given.
func DefaultListen() Listen { return Listen{Stream: defaultStream()} }

// DefaultDial is what the registry decodes when no option is given.
func DefaultDial() Dial { return Dial{Stream: defaultStream(), NoDelay: true} }
