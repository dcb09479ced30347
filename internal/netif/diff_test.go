package netif

import (
	"errors"
	"net"
	"net/netip"
	"testing"
)

func TestDiff(t *testing.T) {
	v4, v6 := addr("192.0.2.1/24", Permanent), addr("2001:db8::1/64", 0)
	tentative := addr("2001:db8::1/64", Tentative)
	peer := Address{Prefix: netip.MustParsePrefix("192.0.2.1/24"), Peer: netip.MustParseAddr("192.0.2.9")}
	down, renamed, small, again := eth(2, "eth0", v4), eth(2, "lan0", v4), eth(2, "eth0", v4), eth(2, "eth0", v4)
	down.Flags = net.FlagMulticast
	small.MTU = 1280
	again.Generation = 7
	for _, c := range []struct {
		name     string
		old, now []Interface
		want     []string
	}{
		{"nothing", []Interface{eth(2, "eth0", v4)}, []Interface{eth(2, "eth0", v4)}, nil},
		{"from none", nil, []Interface{eth(2, "eth0", v4, v6)}, []string{
			"eth0: interface 2 added (up|multicast|running)",
			"eth0: 192.0.2.1/24 global permanent added",
			"eth0: 2001:db8::1/64 global added",
		}},
		{"to none", []Interface{eth(2, "eth0", v4, v6)}, nil, []string{
			"eth0: 192.0.2.1/24 global permanent removed",
			"eth0: 2001:db8::1/64 global removed",
			"eth0: interface 2 removed",
		}},
		{"made anew with another index", []Interface{eth(2, "eth0", v4)}, []Interface{eth(3, "eth0", v4)}, []string{
			"eth0: 192.0.2.1/24 global permanent removed",
			"eth0: interface 2 removed",
			"eth0: interface 3 added (up|multicast|running)",
			"eth0: 192.0.2.1/24 global permanent added",
		}},
		{"made anew with the same index", []Interface{eth(2, "eth0", v4)}, []Interface{again}, []string{
			"eth0: 192.0.2.1/24 global permanent removed",
			"eth0: interface 2 removed",
			"eth0: interface 2 added (up|multicast|running)",
			"eth0: 192.0.2.1/24 global permanent added",
		}},
		{"goes down", []Interface{eth(2, "eth0", v4)}, []Interface{down}, []string{
			"eth0: flags multicast, were up|multicast|running",
		}},
		{"renamed", []Interface{eth(2, "eth0", v4)}, []Interface{renamed}, []string{"lan0: renamed from eth0"}},
		{"another MTU", []Interface{eth(2, "eth0", v4)}, []Interface{small}, []string{"eth0: MTU 1280, was 1500"}},
		{"tentative to usable", []Interface{eth(2, "eth0", tentative)}, []Interface{eth(2, "eth0", v6)}, []string{
			"eth0: 2001:db8::1/64 global, was 2001:db8::1/64 global tentative",
		}},
		{"address added and removed", []Interface{eth(2, "eth0", v6)}, []Interface{eth(2, "eth0", v4)}, []string{
			"eth0: 2001:db8::1/64 global removed",
			"eth0: 192.0.2.1/24 global permanent added",
		}},
		{"IPv4 peer is part of the address", []Interface{eth(2, "eth0", v4)}, []Interface{eth(2, "eth0", peer)}, []string{
			"eth0: 192.0.2.1/24 global permanent removed",
			"eth0: 192.0.2.1/24 peer 192.0.2.9 global added",
		}},
		{"several interfaces, removals first",
			[]Interface{eth(1, "a"), eth(2, "b"), eth(4, "d")}, []Interface{eth(2, "b", v4), eth(3, "c"), eth(5, "e")},
			[]string{
				"a: interface 1 removed", "d: interface 4 removed",
				"b: 192.0.2.1/24 global permanent added",
				"c: interface 3 added (up|multicast|running)", "e: interface 5 added (up|multicast|running)",
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantLines(t, texts(Diff(Snapshot{Interfaces: c.old}, Snapshot{Interfaces: c.now})), c.want)
		})
	}
}

func TestDiffTellsLostEvents(t *testing.T) {
	got := Diff(Snapshot{Lost: 1}, Snapshot{Lost: 3})
	if len(got) != 1 || got[0].Op != EventsLost {
		t.Errorf("Diff = %v", got)
	}
	wantLines(t, texts(got), []string{"news of interfaces were lost, all were listed again"})
}

func TestSnapshotFinds(t *testing.T) {
	link := addr("fe80::1/64", 0)
	s := Snapshot{Interfaces: []Interface{eth(1, "a", link), eth(3, "b", link, addr("2001:db8::1/64", 0))}}
	if i, ok := s.ByIndex(3); !ok || i.Name != "b" {
		t.Errorf("ByIndex(3) = %v, %v", i, ok)
	}
	if i, ok := s.ByName("b"); !ok || i.Index != 3 {
		t.Errorf("ByName(b) = %v, %v", i, ok)
	}
	if _, ok := s.ByIndex(2); ok {
		t.Error("ByIndex(2) found one")
	}
	if _, ok := s.ByName("c"); ok {
		t.Error("ByName(c) found one")
	}
	for text, want := range map[string]int{
		"fe80::1": 1, "fe80::1%a": 1, "fe80::1%b": 3, "fe80::1%3": 3, "fe80::1%c": 0,
		"2001:db8::1": 3, "2001:db8::2": 0, "192.0.2.1": 0,
	} {
		i, a, ok := s.ByAddr(netip.MustParseAddr(text))
		if ok != (want != 0) || i.Index != want || ok && a.Prefix.Addr() != netip.MustParseAddr(text).WithZone("") {
			t.Errorf("ByAddr(%s) = %v, %v, %v, want interface %d", text, i, a, ok, want)
		}
	}
}

func TestFindTakesANameAnIndexOrAnAddress(t *testing.T) {
	link := addr("fe80::1/64", 0)
	s := Snapshot{Interfaces: []Interface{eth(1, "a", link), eth(3, "b", link, addr("192.0.2.1/24", 0)), eth(4, "3")}}
	for text, want := range map[string]int{
		"a": 1, "1": 1, "3": 4, "4": 4, "192.0.2.1": 3, "fe80::1%b": 3, "fe80::1%1": 1,
		"c": 0, "0": 0, "2": 0, "192.0.2.2": 0, "fe80::1%c": 0, "": 0, "*": 0,
	} {
		i, err := s.Find(text)
		if i.Index != want || (err == nil) != (want != 0) || err != nil && !errors.Is(err, ErrNoInterface) {
			t.Errorf("Find(%q) = %v, %v, want interface %d", text, i, err, want)
		}
	}
	if _, err := s.Find("c"); err == nil || err.Error() != `no such interface "c" (there are: a, b, 3)` {
		t.Errorf("Find(c): %v", err)
	}
}

// LI-15
func TestZonedAddsAZoneWhereTheAddressNeedsOne(t *testing.T) {
	i := eth(2, "eth0")
	for text, want := range map[string]string{
		"fe80::1": "fe80::1%eth0", "ff02::fb": "ff02::fb%eth0", "ff01::1": "ff01::1%eth0", "fe80::1%7": "fe80::1%eth0",
		"2001:db8::1": "2001:db8::1", "::1": "::1", "ff0e::1": "ff0e::1", "169.254.0.1": "169.254.0.1",
	} {
		if got := i.Zoned(netip.MustParseAddr(text)).String(); got != want {
			t.Errorf("Zoned(%s) = %s, want %s", text, got, want)
		}
	}
}

// LI-13
func TestAddressIsUsableUnlessDuplicateDetectionForbids(t *testing.T) {
	for flags, want := range map[AddrFlags]bool{
		0: true, Permanent: true, Deprecated: true, Temporary: true,
		Tentative: false, Tentative | Optimistic: true, DADFailed | Tentative: false, DADFailed: false,
	} {
		if got := addr("2001:db8::1/64", flags).Usable(); got != want {
			t.Errorf("%q usable = %v, want %v", flags, got, want)
		}
	}
}

func TestNamesOfScopesAndFlags(t *testing.T) {
	for scope, want := range map[Scope]string{Global: "global", Site: "site", Link: "link", Host: "host", 7: "7"} {
		if got := scope.String(); got != want {
			t.Errorf("Scope %d = %s, want %s", scope, got, want)
		}
	}
	all := Tentative | DADFailed | Optimistic | Deprecated | Temporary | Secondary | Permanent
	if got, want := all.String(), "tentative dadfailed optimistic deprecated temporary secondary permanent"; got != want {
		t.Errorf("flags = %q, want %q", got, want)
	}
	for flags, want := range map[net.Flags][2]bool{
		0: {false, false}, net.FlagUp: {true, false}, net.FlagMulticast: {false, false}, up: {true, true},
	} {
		i := Interface{Flags: flags}
		if got := [2]bool{i.Up(), i.Multicast()}; got != want {
			t.Errorf("%v: up, multicast = %v, want %v", flags, got, want)
		}
	}
}
