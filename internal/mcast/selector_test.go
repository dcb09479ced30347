package mcast

import (
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/netif"
)

func TestSelectorIsReadAndWritten(t *testing.T) {
	for text, want := range map[string]string{
		"eth0": "eth0", "2": "2", "*": "*", "192.0.2.1": "192.0.2.1", "2001:DB8::1": "2001:db8::1", "fe80::1%eth0": "fe80::1%eth0",
		"br-0.17@x": "br-0.17@x",
	} {
		s := sel(text)
		if s.String() != want || s.IsZero() || s.IsAll() != (text == "*") || s.Addr().IsValid() != strings.ContainsAny(want[1:], ".:") && text != "br-0.17@x" {
			t.Errorf("%q is read as %+v", text, s)
		}
	}
	for _, text := range []string{"", "a b", "a/b", "fe80:::1", "[fe80::1]", ".", "..", "a\x00", strings.Repeat("a", 128)} {
		if err := new(Selector).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func TestSelectorMeansInterfaces(t *testing.T) {
	snapshot := netif.Snapshot{Interfaces: []netif.Interface{
		loopback(),
		eth(2, "a", 2, "192.0.2.1/24", "fe80::1/64"),
		eth(3, "b", 3, "192.0.2.1/24", "fe80::1/64", "2001:db8::1/64"),
		down(eth(4, "7", 4)),
		eth(7, "c", 5),
	}}
	for text, want := range map[string][]string{
		"":             nil,
		"*":            {"a", "b", "c"},
		"a":            {"a"},
		"2":            {"a"},
		"7":            {"7"}, // a name wins over an index
		"4":            {"7"},
		"lo":           {"lo"},
		"127.0.0.1":    {"lo"},
		"192.0.2.1":    {"a", "b"},
		"fe80::1%b":    {"b"},
		"fe80::1%2":    {"a"},
		"2001:db8::1":  {"b"},
		"fe80::1%c":    nil,
		"203.0.113.77": nil,
		"nosuch":       nil,
		"0":            nil,
	} {
		var got []string
		sel(text).visit(snapshot, func(i netif.Interface) { got = append(got, i.Name) })
		if !slices.Equal(got, want) {
			t.Errorf("%q means %q, want %q", text, got, want)
		}
	}
}
