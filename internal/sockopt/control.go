package sockopt

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Control is the hook that package net calls with a new socket before it binds or connects it
// (net.Dialer.Control, net.ListenConfig.Control).
type Control func(network, address string, c syscall.RawConn) error

// key names a socket option independently of the system; sysopt translates it.
type key int

const (
	reusePort key = iota
	freeBind
	transparent
	bindToDevice
	mark
	tos
	trafficClass
	priority
	rcvBuf
	sndBuf
	congestion
	userTimeout
	deferAccept
	fastOpenListen
	fastOpenConnect
	noDelay
	keepAlive
	keepAliveIdle
	keepAliveInterval
	keepAliveCount
	v6Only
	bindLate
)

// family says for which sockets an option is.
type family int

const (
	bothFamilies family = iota
	onlyIPv4
	onlyIPv6
)

// A setting is one call of setsockopt.
type setting struct {
	param  string
	key    key
	family family
	value  int
	text   string // instead of value, where isText
	isText bool
}

// Config returns a net.ListenConfig that makes listeners with these options. Its Control is nil where no option needs
// one; called with the network "tcp" (package net only ever says "tcp4" or "tcp6") it sets the options of both
// families on a dual-stack socket.
//
// An option that the system lacks makes Control fail with errors.ErrUnsupported; any other failure is an
// *os.SyscallError that names the parameter in front.
func (o Listen) Config() net.ListenConfig {
	list := append(o.Common.settings(), o.Stream.settings()...)
	if o.DeferAccept > 0 {
		list = append(list, setting{param: "deferAccept", key: deferAccept, value: ceil(o.DeferAccept, time.Second)})
	}
	if o.FastOpen {
		list = append(list, setting{param: "fastOpen", key: fastOpenListen, value: fastOpenQueue})
	}
	config := net.ListenConfig{
		Control:         control(list),
		KeepAlive:       o.keepAlivePeriod(),
		KeepAliveConfig: o.keepAliveConfig(),
	}
	config.SetMultipathTCP(o.MPTCP)
	return config
}

// Dialer returns a net.Dialer that makes connections with these options; its Control is as in [Listen.Config].
// NoDelay is not in it, because package net sets TCP_NODELAY once more when the connection stands: see [Dial.Connected].
func (o Dial) Dialer() net.Dialer {
	list := append(o.Common.settings(), o.Outgoing.settings()...)
	list = append(list, o.Stream.settings()...)
	if o.FastOpen {
		list = append(list, setting{param: "fastOpen", key: fastOpenConnect, value: 1})
	}
	dialer := net.Dialer{
		Control:         control(list),
		KeepAlive:       o.keepAlivePeriod(),
		KeepAliveConfig: o.keepAliveConfig(),
	}
	dialer.SetMultipathTCP(o.MPTCP)
	return dialer
}

// Connected sets what can only be set on a connection that package net has finished.
func (o Dial) Connected(c *net.TCPConn) error {
	if o.NoDelay {
		return nil
	}
	return c.SetNoDelay(false)
}

// Control returns the hook that sets these options, nil where there is nothing to set.
func (o Packet) Control() Control {
	return control(append(o.Common.settings(), o.Outgoing.settings()...))
}

func (o Common) settings() []setting {
	var list []setting
	flag := func(param string, k key, on bool) {
		if on {
			list = append(list, setting{param: param, key: k, value: 1})
		}
	}
	flag("reusePort", reusePort, o.ReusePort)
	flag("freeBind", freeBind, o.FreeBind)
	flag("transparent", transparent, o.Transparent)
	if o.BindToDevice != "" {
		list = append(list, setting{param: "bindToDevice", key: bindToDevice, text: o.BindToDevice, isText: true})
	}
	list = appendNumber(list, "mark", mark, bothFamilies, o.Mark)
	list = appendNumber(list, "tos", tos, onlyIPv4, o.TOS)
	list = appendNumber(list, "trafficClass", trafficClass, onlyIPv6, o.TrafficClass)
	list = appendNumber(list, "rcvbuf", rcvBuf, bothFamilies, o.RcvBuf)
	return appendNumber(list, "sndbuf", sndBuf, bothFamilies, o.SndBuf)
}

// settings come after those of Common: IP_TOS sets a priority too.
func (o Outgoing) settings() []setting {
	return appendNumber(nil, "priority", priority, bothFamilies, o.Priority)
}

func appendNumber[N int | uint8 | uint32](list []setting, param string, k key, f family, n *N) []setting {
	if n == nil {
		return list
	}
	return append(list, setting{param: param, key: k, family: f, value: int(*n)})
}

func (o Stream) settings() []setting {
	var list []setting
	if o.Congestion != "" {
		list = append(list, setting{param: "congestion", key: congestion, text: o.Congestion, isText: true})
	}
	if o.UserTimeout > 0 {
		list = append(list, setting{param: "userTimeout", key: userTimeout, value: ceil(o.UserTimeout, time.Millisecond)})
	}
	return list
}

// keepAlivePeriod is negative where probes are off: package net reads it only when the config is not enabled.
func (o Stream) keepAlivePeriod() time.Duration {
	if o.KeepAlive {
		return 0
	}
	return -1
}

func (o Stream) keepAliveConfig() net.KeepAliveConfig {
	if !o.KeepAlive {
		return net.KeepAliveConfig{}
	}
	return net.KeepAliveConfig{Enable: true, Idle: o.KeepAliveIdle, Interval: o.KeepAliveInterval, Count: o.KeepAliveCount}
}

// ceil counts units in d, a started one as whole.
func ceil(d, unit time.Duration) int { return int((d + unit - 1) / unit) }

func control(list []setting) Control {
	if len(list) == 0 {
		return nil
	}
	return func(network, _ string, c syscall.RawConn) error {
		return setAll(c, network, list)
	}
}

func setAll(c syscall.RawConn, network string, list []setting) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		for _, s := range list {
			if failed = s.apply(fd, network); failed != nil {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// apply does nothing for an option of the other family: a client that tries both may have options for both.
func (s setting) apply(fd uintptr, network string) error {
	if s.family == onlyIPv4 && strings.HasSuffix(network, "6") || s.family == onlyIPv6 && strings.HasSuffix(network, "4") {
		return nil
	}
	level, name, ok := sysopt(s.key, !strings.HasSuffix(network, "4"))
	if !ok {
		return fmt.Errorf("%s on %s: %w", s, runtime.GOOS, errors.ErrUnsupported)
	}
	var err error
	if s.isText {
		err = setText(fd, level, name, s.text)
	} else {
		err = setInt(fd, level, name, s.value)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s%s: %w", s, s.hint(err), os.NewSyscallError("setsockopt", err))
}

func (s setting) String() string {
	if s.isText {
		return "socket option " + s.param + "=" + s.text
	}
	return "socket option " + s.param + "=" + strconv.Itoa(s.value)
}

// hint explains an error of the kernel that says too little.
func (s setting) hint(err error) string {
	switch {
	case s.key == congestion && errors.Is(err, syscall.ENOENT):
		return ": the kernel has no such algorithm"
	case s.key == congestion && errors.Is(err, syscall.EPERM):
		return ": the kernel reserves this algorithm for privileged programs"
	case errors.Is(err, syscall.EPERM):
		return ": needs a privilege"
	}
	return ""
}

// SetDualStack lets an IPv6 socket that is not bound yet take IPv4 too (IPV6_V6ONLY=0, RFC 3493 section 5.3), or fails
// where the system does not let it; package net asks for the same but does not look at the answer.
func SetDualStack(c syscall.RawConn) error {
	return setAll(c, "tcp6", []setting{{param: "v6only", key: v6Only, value: 0}})
}

// BindLate makes a socket that is bound to an address, but to no port, take its port only when it connects
// (IP_BIND_ADDRESS_NO_PORT, ip(7)), so that the ports of one local address suffice for many connections to different
// peers. It is a matter of economy: where the system lacks the option, it does nothing.
func BindLate(c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		if level, name, ok := sysopt(bindLate, false); ok {
			_ = setInt(fd, level, name, 1)
		}
	})
}
