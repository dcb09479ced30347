package alliface

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/epctl/endpoint/internal/netif"
)

func TestPatternsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "is empty: the name of an interface, or a prefix such as 192.0.2.0/24",
		"10.0.0.0/33":         `"10.0.0.0/33" is no prefix such as 192.0.2.0/24 or 2001:db8::/32, and no name of an interface`,
		"10.0.0.5/8":          "10.0.0.5/8 has bits behind the prefix: write 10.0.0.0/8, or 10.0.0.5 for the one address",
		"eth0:1":              `"eth0:1" is no prefix such as 192.0.2.0/24 or 2001:db8::/32, and no name of an interface`,
		"eth[":                `"eth[" is no pattern: *, ? and [a-z] stand for characters of an interface's name`,
		"fe80::1%eth0":        "fe80::1%eth0 has a zone: write the address without it, or the interface eth0",
		"::ffff:192.0.2.1":    "::ffff:192.0.2.1 is an IPv4 address in IPv6 form; write 192.0.2.1",
		"::ffff:10.0.0.0/104": "::ffff:10.0.0.0 is an IPv4 address in IPv6 form; write 10.0.0.0",
	} {
		var p Pattern
		err := p.UnmarshalText([]byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestPatternsMatch(t *testing.T) {
	addr := netip.MustParseAddr
	for _, tc := range []struct {
		pattern, name string
		addr          netip.Addr
		want          bool
	}{
		{"eth0", "eth0", addr("192.0.2.1"), true},
		{"eth0", "eth01", addr("192.0.2.1"), false},
		{"eth*", "eth01", addr("192.0.2.1"), true},
		{"eth?", "eth01", addr("192.0.2.1"), false},
		{"eth[0-3]", "eth2", addr("192.0.2.1"), true},
		{"*", "anything", addr("::1"), true},
		{"vEthernet (Default Switch)", "vEthernet (Default Switch)", addr("::1"), true},
		{"192.0.2.0/24", "eth0", addr("192.0.2.1"), true},
		{"192.0.2.0/24", "eth0", addr("192.0.3.1"), false},
		{"192.0.2.1", "eth0", addr("192.0.2.1"), true},
		{"192.0.2.1", "eth0", addr("192.0.2.2"), false},
		{"2001:db8::/32", "eth0", addr("2001:db8:1::1"), true},
		{"2001:db8::/32", "eth0", addr("192.0.2.1"), false},
		{"fe80::/10", "eth0", addr("fe80::1"), true},
		{"0.0.0.0/0", "eth0", addr("fe80::1"), false},
	} {
		p := patterns(tc.pattern)[0]
		if got := p.Matches(tc.name, tc.addr); got != tc.want {
			t.Errorf("%s matches %s on %s: %v", p, tc.addr, tc.name, got)
		}
	}
}

func judged(s Selection, i netif.Interface) []string {
	var list []string
	for _, a := range i.Addrs {
		list = append(list, s.Judge(i, a).Reason)
	}
	return list
}

func TestWhatBecomesOfAnAddress(t *testing.T) {
	const tentative, failed = "duplicate address detection is not over", "another node has the address (duplicate address detection failed)"
	all := Selection{Family: Any, Loopback: true}
	with := func(change func(*Selection)) Selection {
		s := all
		change(&s)
		return s
	}
	for _, tc := range []struct {
		name string
		s    Selection
		i    netif.Interface
		want []string
	}{
		{"all", all, eth(1, "lo", "127.0.0.1", "::1"), []string{"", ""}},
		{"link-local and deprecated ones too", all, eth(2, "eth0", "192.0.2.1 deprecated", "fe80::1"), []string{"", ""}},
		// LI-13
		{"states", all, eth(2, "eth0", "::2 tentative", "::3 dadfailed", "::4 optimistic"), []string{tentative, failed, ""}},
		{"an interface that is down", all, down(eth(2, "eth0", "192.0.2.1")), []string{"the interface is down"}},
		{"IPv4", with(func(s *Selection) { s.Family = IPv4 }), eth(1, "lo", "127.0.0.1", "::1"), []string{"", "family=4"}},
		{"IPv6", with(func(s *Selection) { s.Family = IPv6 }), eth(1, "lo", "127.0.0.1", "::1"), []string{"family=6", ""}},
		{"without loopback", with(func(s *Selection) { s.Loopback = false }),
			eth(1, "lo", "127.0.0.1", "127.0.0.53", "198.51.100.1", "::1"), []string{"loopback=no", "loopback=no", "", "loopback=no"}},
		{"included", with(func(s *Selection) { s.Include = patterns("eth1", "192.0.2.0/24") }),
			eth(2, "eth0", "192.0.2.1", "198.51.100.1"), []string{"", "not in include"}},
		{"excluded", with(func(s *Selection) { s.Exclude = patterns("docker*", "fe80::/10") }),
			eth(2, "eth0", "192.0.2.1", "fe80::1"), []string{"", "exclude=fe80::/10"}},
		{"exclude wins", with(func(s *Selection) { s.Include, s.Exclude = patterns("eth0"), patterns("192.0.2.1") }),
			eth(2, "eth0", "192.0.2.1", "fe80::1"), []string{"exclude=192.0.2.1", ""}},
		{"tentative with freeBind", with(func(s *Selection) { s.Tentative = true }),
			eth(2, "eth0", "::2 tentative", "::3 dadfailed"), []string{"", failed}},
	} {
		if got := judged(tc.s, tc.i); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// LI-14: an address with a zone is one for each interface, any other is one.
func TestEachAddressIsATargetOnce(t *testing.T) {
	now := netif.Snapshot{Interfaces: []netif.Interface{
		eth(1, "lo", "127.0.0.1"),
		eth(2, "eth0", "192.0.2.1", "fe80::1"),
		eth(3, "eth1", "192.0.2.1", "fe80::1"),
	}}
	want := []Target{
		{netip.MustParseAddr("127.0.0.1"), "lo", 1},
		{netip.MustParseAddr("192.0.2.1"), "eth0", 2},
		{netip.MustParseAddr("fe80::1%eth0"), "eth0", 2},
		{netip.MustParseAddr("fe80::1%eth1"), "eth1", 3},
	}
	if got := everywhere(80).Targets(now); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
