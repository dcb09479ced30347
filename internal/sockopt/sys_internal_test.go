package sockopt

import (
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The os tags and the tables of this system must agree, on whatever system the test runs.
func TestSystemsInTheTagsAreThoseThatHaveTheOption(t *testing.T) {
	keys := map[string]key{
		"ReusePort": reusePort, "FreeBind": freeBind, "Transparent": transparent, "BindToDevice": bindToDevice,
		"Mark": mark, "TOS": tos, "TrafficClass": trafficClass, "RcvBuf": rcvBuf, "SndBuf": sndBuf,
		"Priority": priority, "KeepAlive": keepAlive, "KeepAliveIdle": keepAliveIdle,
		"KeepAliveInterval": keepAliveInterval, "KeepAliveCount": keepAliveCount, "Congestion": congestion,
		"UserTimeout": userTimeout, "DeferAccept": deferAccept, "NoDelay": noDelay,
	}
	for _, options := range []any{Common{}, Outgoing{}, Stream{}, Listen{}, Dial{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(options)) {
			k, ok := keys[f.Name]
			if !ok {
				continue
			}
			systems, restricted := f.Tag.Lookup("os")
			want := !restricted || slices.Contains(strings.Split(systems, ","), runtime.GOOS)
			for _, ipv6 := range []bool{false, true} {
				if _, _, got := sysopt(k, ipv6); got != want {
					t.Errorf("%s on %s: the table says %v, the tag %v", f.Name, runtime.GOOS, got, want)
				}
			}
		}
	}
}

func TestAnOptionThatTheSystemLacksIsRefused(t *testing.T) {
	const lacking = key(1000)
	err := setAll(fakeRawConn{}, "tcp4", []setting{{param: "frobnicate", key: lacking, value: 1}})
	want := "socket option frobnicate=1 on " + runtime.GOOS + ": unsupported operation"
	if !errors.Is(err, errors.ErrUnsupported) || err.Error() != want {
		t.Errorf("err = %v\nwant %s", err, want)
	}
}

func TestOptionsOfTheOtherFamilyAreLeftAlone(t *testing.T) {
	const lacking = key(1000)
	list := []setting{{param: "a", key: lacking, family: onlyIPv4}}
	if err := setAll(fakeRawConn{}, "tcp6", list); err != nil {
		t.Errorf("an IPv4 option was set on tcp6: %v", err)
	}
	if err := setAll(fakeRawConn{}, "tcp", list); err == nil {
		t.Error("an IPv4 option was not set on a dual stack")
	}
}

func TestPrivilegesAreNamed(t *testing.T) {
	for _, k := range []key{mark, congestion} {
		if hint := (setting{key: k}).hint(syscall.EPERM); !strings.Contains(hint, "privilege") {
			t.Errorf("hint %q", hint)
		}
	}
}

// A fakeRawConn gives a descriptor that is none.
type fakeRawConn struct{ syscall.RawConn }

func (fakeRawConn) Control(f func(uintptr)) error {
	f(^uintptr(0))
	return nil
}
