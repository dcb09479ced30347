package sockopt

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A Problem is a fault of one parameter that shows without I/O; a plugin hands it to registry.Bad.
type Problem struct {
	Param   string // the parameter, as in the tags
	Message string
	With    string // another parameter that belongs to the fault, "" for none
}

// maxName is the length of an interface's and of a congestion control algorithm's name on Linux, without the final NUL.
const maxName = 15

// Problems returns what is wrong with o for a listener of the given network: "tcp4", "tcp6", or "tcp" for one that
// serves both families.
func (o Listen) Problems(network string) []Problem {
	list := append(o.Common.problems(network), o.Stream.problems()...)
	return append(list, atLeastZero("deferAccept", o.DeferAccept)...)
}

// Problems returns what is wrong with o for a connection over the given network: "tcp4", "tcp6", or "tcp" where
// either family may be tried.
func (o Dial) Problems(network string) []Problem {
	return append(o.Common.problems(network), o.Stream.problems()...)
}

// Problems returns what is wrong with o for a socket of the given network: "udp4", "udp6", or "udp" for both.
func (o Packet) Problems(network string) []Problem { return o.Common.problems(network) }

func (o Common) problems(network string) []Problem {
	var list []Problem
	bad := func(param, message string) { list = append(list, Problem{Param: param, Message: message}) }
	if o.BindToDevice != "" && !isDevice(o.BindToDevice) {
		bad("bindToDevice", fmt.Sprintf("%q can't be the name of an interface", o.BindToDevice))
	}
	if o.TOS != nil && strings.HasSuffix(network, "6") {
		bad("tos", "is for IPv4; the same for IPv6 is trafficClass")
	}
	if o.TrafficClass != nil && strings.HasSuffix(network, "4") {
		bad("trafficClass", "is for IPv6; the same for IPv4 is tos")
	}
	for _, buf := range []struct {
		param string
		size  *int
	}{{"rcvbuf", o.RcvBuf}, {"sndbuf", o.SndBuf}} {
		if buf.size != nil && (*buf.size < 1 || *buf.size > math.MaxInt32/2) {
			bad(buf.param, "must be between 1 byte and 1 GiB")
		}
	}
	return list
}

func (o Stream) problems() []Problem {
	list := append(o.keepAliveProblems(), atLeastZero("userTimeout", o.UserTimeout)...)
	if o.UserTimeout.Milliseconds() >= math.MaxInt32 {
		list = append(list, Problem{Param: "userTimeout", Message: "is longer than the kernel can count (24 days)"})
	}
	if len(o.Congestion) > maxName || strings.ContainsRune(o.Congestion, 0) {
		list = append(list, Problem{Param: "congestion", Message: fmt.Sprintf("%q can't be the name of an algorithm", o.Congestion)})
	}
	return list
}

// keepAliveProblems checks the ranges here because package net does not tell when the kernel refuses one.
func (o Stream) keepAliveProblems() []Problem {
	var list []Problem
	standard := defaultStream()
	for _, d := range []struct {
		param           string
		value, standard time.Duration
	}{
		{"keepAliveIdle", o.KeepAliveIdle, standard.KeepAliveIdle},
		{"keepAliveInterval", o.KeepAliveInterval, standard.KeepAliveInterval},
	} {
		switch {
		case o.KeepAlive && (d.value < time.Second || d.value > math.MaxInt16*time.Second):
			list = append(list, Problem{Param: d.param, Message: "must be between 1s and 32767s"})
		case !o.KeepAlive && d.value != 0 && d.value != d.standard:
			list = append(list, Problem{Param: d.param, Message: "has no effect with keepAlive=no"})
		}
	}
	switch {
	case o.KeepAlive && (o.KeepAliveCount < 1 || o.KeepAliveCount > 127):
		list = append(list, Problem{Param: "keepAliveCount", Message: "must be between 1 and 127"})
	case !o.KeepAlive && o.KeepAliveCount != 0 && o.KeepAliveCount != standard.KeepAliveCount:
		list = append(list, Problem{Param: "keepAliveCount", Message: "has no effect with keepAlive=no"})
	}
	return list
}

func atLeastZero(param string, d time.Duration) []Problem {
	if d >= 0 {
		return nil
	}
	return []Problem{{Param: param, Message: "can't be negative"}}
}

// isDevice reports whether Linux lets an interface have this name; it looks at bytes, and 0xA0 is a space to it.
func isDevice(name string) bool {
	for i := range len(name) {
		if strings.IndexByte("/: \t\n\v\f\r\x00", name[i]) >= 0 || name[i] == 0xa0 {
			return false
		}
	}
	return len(name) <= maxName && name != "." && name != ".."
}
