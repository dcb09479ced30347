package registry_test

import (
	"io/fs"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

func pointer[T any](v T) *T { return &v }

func TestValuesOfEveryKind(t *testing.T) { // PA-07
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	for _, tt := range []struct {
		field, in string // the field of the options, and the rest of the string
		want      any
	}{
		{"Text", "", "plain"}, {"Text", "text=", ""}, {"Text", `text=a\:b=c`, "a:b=c"}, {"Text", "text=[ x ]", " x "},
		{"Bool", "", false}, {"Bool", "bool=yes", true}, {"Bool", "bool=YES", true}, {"Bool", "bool=true", true}, {"Bool", "bool=on", true},
		{"Bool", "bool=1", true}, {"Bool", "bool=2", true}, {"Bool", "bool=no", false}, {"Bool", "bool=False", false}, {"Bool", "bool=off", false}, {"Bool", "bool=0", false},
		{"Int", "", -7}, {"Int", "int=0", 0}, {"Int", "int=-1", -1}, {"Int", "int=9223372036854775807", 9223372036854775807}, {"Int", "int=-9223372036854775808", -9223372036854775808},
		{"Int8", "", int8(0)}, {"Int8", "int8=127", int8(127)}, {"Int8", "int8=-128", int8(-128)},
		{"Uint", "uint=80", uint(80)}, {"Uint64", "uint64=18446744073709551615", uint64(18446744073709551615)},
		{"Port", "port=0", uint16(0)}, {"Port", "port=65535", uint16(65535)}, {"Port", "port=https", uint16(443)}, {"Port", "port=SSH", uint16(22)}, {"Port", "port=http-alt", uint16(8080)},
		{"Duration", "", 1500 * time.Millisecond}, {"Duration", "duration=30", 30 * time.Second}, {"Duration", "duration=0", time.Duration(0)}, {"Duration", "duration=0.25", 250 * time.Millisecond},
		{"Duration", "duration=1h2m", 62 * time.Minute}, {"Duration", "duration=10ms", 10 * time.Millisecond},
		{"Size", "", int32(65536)}, {"Size", "size=0", int32(0)}, {"Size", "size=4096", int32(4096)}, {"Size", "size=1k", int32(1024)}, {"Size", "size=2M", int32(2 << 20)}, {"Size", "size=1G", int32(1 << 30)},
		{"Mode", "mode=660", fs.FileMode(0o660)}, {"Mode", "mode=0660", fs.FileMode(0o660)}, {"Mode", "mode=0", fs.FileMode(0)},
		{"Mode", "mode=7777", 0o777 | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky}, {"Mode", "mode=2750", 0o750 | fs.ModeSetgid},
		{"Addr", "addr=[::1]", addr("::1")}, {"Addr", `addr=\:\:1`, addr("::1")}, {"Addr", "addr=127.0.0.1", addr("127.0.0.1")}, {"Addr", "addr=[fe80::1%eth0]", addr("fe80::1%eth0")},
		{"Addr", "addr=[::ffff:192.0.2.1]", addr("::ffff:192.0.2.1")}, {"Addr", "", netip.Addr{}},
		{"Prefix", "prefix=192.0.2.0/24", prefix("192.0.2.0/24")}, {"Prefix", "prefix=[2001:db8::/32]", prefix("2001:db8::/32")}, {"Prefix", "prefix=[::/0]", prefix("::/0")},
		{"Enum", "", "two"}, {"Enum", "enum=three", "three"},
		{"Level", "", level(1)}, {"Level", "level=high", level(2)},
		{"Ints", "", []int16(nil)}, {"Ints", "ints=", []int16{}}, {"Ints", "ints=1", []int16{1}}, {"Ints", "ints=1,-2,3", []int16{1, -2, 3}},
		{"Addrs", "addrs=[::1,127.0.0.1]", []netip.Addr{addr("::1"), addr("127.0.0.1")}},
		{"Enums", "enums=two,one,two", []string{"two", "one", "two"}}, {"Levels", "levels=high,low", []level{2, 1}},
		{"Pointer", "", (*int)(nil)}, {"Pointer", "pointer=0", pointer(0)}, {"Flag", "", (*bool)(nil)}, {"Flag", "flag=no", pointer(false)},
		{"Counts", "", map[string]int(nil)}, {"Counts", "a=1:b.c=2", map[string]int{"a": 1, "b.c": 2}},
	} {
		o := optionsOf[everything](t, "all:"+tt.in, registry.RoleClient)
		if tt.in == "" {
			o = optionsOf[everything](t, "all", registry.RoleClient)
		}
		if got := reflect.ValueOf(o).FieldByName(tt.field).Interface(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s of all:%s is %#v, want %#v", tt.field, tt.in, got, tt.want)
		}
	}
}

func TestWrongValuesOfEveryKind(t *testing.T) { // PA-05, PA-06, PA-07
	for _, tt := range []struct {
		in      string // of a string with the wrong part between ‹ and ›
		message string
		fix     string
	}{
		{"bool=‹›", "bool is empty: yes or no", ""},
		{"bool=‹yse›", `"yse" is neither yes nor no`, "yes"},
		{"bool=‹-1›", `"-1" is neither yes nor no`, ""},
		{"int=‹›", "int is empty: a number", ""},
		{"int=‹1.5›", `"1.5" is not a decimal number`, ""},
		{"int=‹ 1›", `" 1" is not a decimal number`, "1"},
		{"int=‹+1›", `"+1" is not a decimal number`, "1"},
		{"int=‹1_000›", `"1_000" is not a decimal number`, "1000"},
		{"int=‹0x10›", `"0x10" is not a decimal number`, ""},
		{"int=‹١›", `"١" is not a decimal number`, ""},
		{"int=‹007›", "a number does not start with 0", "7"},
		{"int=‹-01›", "a number does not start with 0", "-1"},
		{"int=‹-›", `"-" is not a decimal number`, ""},
		{"int=‹--1›", `"-1" is not a decimal number`, ""},
		{"uint=‹01›", "a number does not start with 0", "1"},
		{"uint=‹00›", "a number does not start with 0", "0"},
		{"int=‹9223372036854775808›", `"9223372036854775808" is not between -9223372036854775808 and 9223372036854775807`, ""},
		{"int8=‹128›", `"128" is not between -128 and 127`, ""},
		{"uint=‹-1›", `"-1" is not a decimal number`, ""},
		{"uint64=‹18446744073709551616›", `"18446744073709551616" is above 18446744073709551615`, ""},
		{"port=‹65536›", `port "65536" is above 65535`, ""},
		{"port=‹99999999999999999999›", `port "99999999999999999999" is above 65535`, ""},
		{"port=‹080›", "a number does not start with 0", "80"},
		{"port=‹-80›", `"-80" is not a decimal number`, ""},
		{"port=‹htps›", `"htps" is not the name of a well-known service: give the port number`, "https"},
		{"port=‹xyzzy›", `"xyzzy" is not the name of a well-known service: give the port number`, ""},
		{"port=‹s\u017f\u017fh›", "\"s\u017f\u017fh\" is not the name of a well-known service: give the port number", ""},
		{"duration=‹›", "duration is empty: a duration such as 30, 1.5s or 250ms", ""},
		{"duration=‹soon›", `"soon" is not a duration such as 30, 1.5s or 250ms`, ""},
		{"duration=‹.›", `"." is not a duration such as 30, 1.5s or 250ms`, ""},
		{"duration=‹+1s›", `"+1s" is not a duration such as 30, 1.5s or 250ms`, ""},
		{"duration=‹-1s›", "a duration can't be negative", ""},
		{"duration=‹-5›", "a duration can't be negative", ""},
		{"duration=‹10000000000›", `"10000000000" is too long a duration`, ""},
		{"size=‹K›", `"K" is not a size such as 4096, 64K or 1M`, ""},
		{"size=‹-1›", `"-1" is not a size such as 4096, 64K or 1M`, ""},
		{"size=‹1T›", `"1T" is not a size such as 4096, 64K or 1M`, ""},
		{"size=‹1.5K›", `"1.5K" is not a size such as 4096, 64K or 1M`, ""},
		{"size=‹9999999999G›", `"9999999999G" is too large a size`, ""},
		{"mode=‹888›", `"888" is not an octal file mode such as 660`, ""},
		{"mode=‹0o660›", "a file mode is octal without a prefix", "660"},
		{"mode=‹17777›", `"17777" is not an octal file mode such as 660`, ""},
		{"mode=‹-1›", `"-1" is not an octal file mode such as 660`, ""},
		{"mode=‹6_0›", `"6_0" is not an octal file mode such as 660`, ""},
		{"addr=‹›", "addr is empty: an IP address", ""},
		{"addr=‹localhost›", `"localhost" is not an IP address`, ""},
		{"addr=‹127.0.0.1/8›", `"127.0.0.1/8" is a prefix, not an address`, "127.0.0.1"},
		{`addr=‹\[\:\:1\]›`, "an address stands in one pair of brackets, without backslashes", "[::1]"},
		{`addr=‹[\:\:1]›`, "an address stands in one pair of brackets, without backslashes", "[::1]"},
		{`addr=‹\[\:\:1\]\:80›`, `"[::1]:80" is an address and a port: the port is a parameter of its own`, "[::1]"},
		{`addr=‹127.0.0.1\:80›`, `"127.0.0.1:80" is an address and a port: the port is a parameter of its own`, "127.0.0.1"},
		{"addr=‹010.0.0.1›", `"010.0.0.1" is not an IP address`, ""},
		{"prefix=‹192.0.2.1›", `"192.0.2.1" has no length`, "192.0.2.1/32"},
		{"prefix=‹[2001:db8::1]›", `"2001:db8::1" has no length`, "[2001:db8::1/128]"},
		{"prefix=‹192.0.2.1/24›", `"192.0.2.1/24" has bits behind the prefix`, "192.0.2.0/24"},
		{"prefix=‹192.0.2.0/33›", `"192.0.2.0/33" is not an IP prefix such as 192.0.2.0/24`, ""},
		{"enum=‹tow›", `"tow" is not one of one, two, three`, "two"},
		{"enum=‹›", "enum is empty: one of one, two, three", ""},
		{"enum=‹Three›", `"Three" is not one of one, two, three`, "three"},
		{"level=‹middle›", `"middle" is neither low nor high`, ""},
		{"ints=1,‹x›,3", `"x" is not a decimal number`, ""},
		{"ints=1,‹›", "a value is missing between commas, or before or after one", ""},
		{"ints=‹›,1", "a value is missing between commas, or before or after one", ""},
		{"ints=‹1_0›,3", `"1_0" is not a decimal number`, "10"},
		{"ints=‹32768›", `"32768" is not between -32768 and 32767`, ""},
		{"addrs=[::1,‹::2/64›,::3]", `"::2/64" is a prefix, not an address`, "::2"},
		{`addrs=\:\:1,‹\:\:2/64›`, `"::2/64" is a prefix, not an address`, `\:\:2`},
		{"enums=one,‹tow›", `"tow" is not one of one, two`, "two"},
		{"levels=low,‹›", "a value is missing between commas, or before or after one", ""},
		{"counts.x=‹many›", `"many" is not a decimal number`, ""},
		{"pointer=‹{x}›", "pointer takes a number, not a description in braces", ""},
		{"bool=‹" + letters(100) + "›", `"` + letters(60) + `…" is neither yes nor no`, ""},
		{"bool=‹" + letters(59) + "日›", `"` + letters(59) + `…" is neither yes nor no`, ""},
	} {
		in, start, end := cut("all:" + tt.in)
		_, _, err := fakes().Build(in, registry.RoleClient)
		faults := grammar.All(err)
		if len(faults) != 1 {
			t.Errorf("%q: %v, want %q", in, err, tt.message)
			continue
		}
		if e := faults[0]; e.Message != tt.message || e.Start != start || e.End != end || e.Fix != tt.fix {
			t.Errorf("%q\n got %q at %d to %d, fix %q\nwant %q at %d to %d, fix %q", in, e.Message, e.Start, e.End, e.Fix, tt.message, start, end, tt.fix)
		}
	}
}

// cut takes the marks out of a string and returns where they stood.
func cut(marked string) (s string, start, end int) {
	before, rest, _ := strings.Cut(marked, "‹")
	inside, after, _ := strings.Cut(rest, "›")
	return before + inside + after, len(before), len(before) + len(inside)
}

// What does not fit the type of the field, though it fits its kind, is told with its place too.
func TestAValueThatIsTooLargeForItsFieldIsRefused(t *testing.T) {
	in, start, end := cut("all:size=‹2G›")
	_, _, err := fakes().Build(in, registry.RoleClient)
	if e := grammar.All(err); len(e) != 1 || e[0].Start != start || e[0].End != end || e[0].Message != "2147483648 is too large" {
		t.Errorf("%q: %v", in, err)
	}
}

func TestTheCauseOfAWrongValueIsKept(t *testing.T) {
	_, _, err := fakes().Build("all:level=middle", registry.RoleClient)
	if e := grammar.All(err); len(e) != 1 || e[0].Err == nil || e[0].Err.Error() != e[0].Message {
		t.Errorf("%#v", err)
	}
}
