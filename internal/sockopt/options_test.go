package sockopt_test

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/sockopt"
)

// params lists the tagged fields of an options struct with their values, embedded structs flattened.
func params(v reflect.Value) (fields []reflect.StructField, values []reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			inner, innerValues := params(v.Field(i))
			fields, values = append(fields, inner...), append(values, innerValues...)
			continue
		}
		fields, values = append(fields, f), append(values, v.Field(i))
	}
	return fields, values
}

func name(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("ep"), ",")
	return name
}

func TestEveryParameterIsDeclaredInFull(t *testing.T) {
	for _, options := range []any{sockopt.Listen{}, sockopt.Dial{}, sockopt.Packet{}} {
		fields, _ := params(reflect.ValueOf(options))
		var seen []string
		for _, f := range fields {
			if name(f) == "" || f.Tag.Get("doc") == "" {
				t.Errorf("%T.%s has no name or no doc", options, f.Name)
			}
			if slices.Contains(seen, name(f)) {
				t.Errorf("%T has %s twice", options, name(f))
			}
			seen = append(seen, name(f))
		}
	}
}

func TestDefaultsAreWhatTheTagsSay(t *testing.T) {
	for _, options := range []any{sockopt.DefaultListen(), sockopt.DefaultDial(), sockopt.Packet{}} {
		fields, values := params(reflect.ValueOf(options))
		for i, f := range fields {
			if got, want := show(values[i]), f.Tag.Get("default"); got != want {
				t.Errorf("%T: %s is %q, its tag says %q", options, name(f), got, want)
			}
		}
		type checker interface {
			Problems(string) []sockopt.Problem
		}
		for _, network := range []string{"tcp", "tcp4", "tcp6"} {
			if list := options.(checker).Problems(network); list != nil {
				t.Errorf("%T over %s: %v", options, network, list)
			}
		}
	}
}

// show writes a value as its default tag would; a nil pointer and an empty text have no default.
func show(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case bool:
		return map[bool]string{true: "yes", false: "no"}[x]
	case time.Duration:
		return x.String()
	case int:
		return strconv.Itoa(x)
	case string:
		return x
	}
	if v.IsNil() {
		return ""
	}
	return fmt.Sprint(v.Elem())
}

func ptr[T any](v T) *T { return &v }

func TestProblems(t *testing.T) {
	listen := func(change func(*sockopt.Listen)) sockopt.Listen {
		o := sockopt.DefaultListen()
		change(&o)
		return o
	}
	tests := []struct {
		name    string
		options sockopt.Listen
		network string
		want    []sockopt.Problem
	}{
		{"tos on IPv6", listen(func(o *sockopt.Listen) { o.TOS = ptr[uint8](8) }), "tcp6",
			[]sockopt.Problem{{Param: "tos", Message: "is for IPv4; the same for IPv6 is trafficClass"}}},
		{"tos on IPv4", listen(func(o *sockopt.Listen) { o.TOS = ptr[uint8](8) }), "tcp4", nil},
		{"traffic class on IPv4", listen(func(o *sockopt.Listen) { o.TrafficClass = ptr[uint8](8) }), "tcp4",
			[]sockopt.Problem{{Param: "trafficClass", Message: "is for IPv6; the same for IPv4 is tos"}}},
		{"both on a dual stack", listen(func(o *sockopt.Listen) { o.TrafficClass, o.TOS = ptr[uint8](8), ptr[uint8](8) }), "tcp", nil},
		{"long device", listen(func(o *sockopt.Listen) { o.BindToDevice = "abcdefghijklmnop" }), "tcp4",
			[]sockopt.Problem{{Param: "bindToDevice", Message: `"abcdefghijklmnop" can't be the name of an interface`}}},
		{"longest device", listen(func(o *sockopt.Listen) { o.BindToDevice = "abcdefghijklmno" }), "tcp4", nil},
		{"device with a slash", listen(func(o *sockopt.Listen) { o.BindToDevice = "../x" }), "tcp4",
			[]sockopt.Problem{{Param: "bindToDevice", Message: `"../x" can't be the name of an interface`}}},
		{"long algorithm", listen(func(o *sockopt.Listen) { o.Congestion = "abcdefghijklmnop" }), "tcp4",
			[]sockopt.Problem{{Param: "congestion", Message: `"abcdefghijklmnop" can't be the name of an algorithm`}}},
		{"no buffer", listen(func(o *sockopt.Listen) { o.RcvBuf = ptr(0) }), "tcp4",
			[]sockopt.Problem{{Param: "rcvbuf", Message: "must be between 1 byte and 1 GiB"}}},
		{"negative buffer", listen(func(o *sockopt.Listen) { o.SndBuf = ptr(-1) }), "tcp4",
			[]sockopt.Problem{{Param: "sndbuf", Message: "must be between 1 byte and 1 GiB"}}},
		{"large buffer", listen(func(o *sockopt.Listen) { o.SndBuf = ptr(1 << 30) }), "tcp4",
			[]sockopt.Problem{{Param: "sndbuf", Message: "must be between 1 byte and 1 GiB"}}},
		{"short keep-alive", listen(func(o *sockopt.Listen) { o.KeepAliveIdle, o.KeepAliveInterval = 0, 999*time.Millisecond }), "tcp4",
			[]sockopt.Problem{{Param: "keepAliveIdle", Message: "must be between 1s and 32767s"}, {Param: "keepAliveInterval", Message: "must be between 1s and 32767s"}}},
		{"long keep-alive", listen(func(o *sockopt.Listen) { o.KeepAliveIdle, o.KeepAliveCount = 32768*time.Second, 128 }), "tcp4",
			[]sockopt.Problem{{Param: "keepAliveIdle", Message: "must be between 1s and 32767s"}, {Param: "keepAliveCount", Message: "must be between 1 and 127"}}},
		{"keep-alive off", listen(func(o *sockopt.Listen) { o.KeepAlive = false }), "tcp4", nil},
		{"keep-alive off and on", listen(func(o *sockopt.Listen) { o.KeepAlive, o.KeepAliveIdle, o.KeepAliveCount = false, time.Minute, 2 }), "tcp4",
			[]sockopt.Problem{{Param: "keepAliveIdle", Message: "has no effect with keepAlive=no"}, {Param: "keepAliveCount", Message: "has no effect with keepAlive=no"}}},
		{"negative times", listen(func(o *sockopt.Listen) { o.UserTimeout, o.DeferAccept = -1, -1 }), "tcp4",
			[]sockopt.Problem{{Param: "userTimeout", Message: "can't be negative"}, {Param: "deferAccept", Message: "can't be negative"}}},
		{"long user timeout", listen(func(o *sockopt.Listen) { o.UserTimeout = 25 * 24 * time.Hour }), "tcp4",
			[]sockopt.Problem{{Param: "userTimeout", Message: "is longer than the kernel can count (24 days)"}}},
		{"zero value", sockopt.Listen{}, "tcp4", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.options.Problems(tt.network); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("listen: got  %v\nwant %v", got, tt.want)
			}
			dial := sockopt.Dial{Common: tt.options.Common, Stream: tt.options.Stream}
			want := slices.DeleteFunc(slices.Clone(tt.want), func(p sockopt.Problem) bool { return p.Param == "deferAccept" })
			if got := dial.Problems(tt.network); !(len(got) == 0 && len(want) == 0) && !reflect.DeepEqual(got, want) {
				t.Errorf("dial: got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestOptionsThatChangeNothingCostNothing(t *testing.T) {
	if c := sockopt.DefaultListen().Config(); c.Control != nil {
		t.Error("a listener with default options has a Control hook")
	}
	if d := sockopt.DefaultDial().Dialer(); d.Control != nil {
		t.Error("a dialer with default options has a Control hook")
	}
	if (sockopt.Packet{}).Control() != nil {
		t.Error("a datagram socket with default options has a Control hook")
	}
}
