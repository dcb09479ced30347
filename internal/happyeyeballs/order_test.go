package happyeyeballs

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// route is a destination with the source that the host would use; an empty source: there is no way.
type route struct{ dst, src string }

// routed returns an engine for which the routes are the world.
func routed(t *testing.T, c Config, routes []route) *Engine {
	t.Helper()
	sources := map[netip.Addr]Source{}
	for _, r := range routes {
		src, flag, _ := strings.Cut(r.src, " ")
		a, _ := netip.ParseAddr(src)
		sources[netip.MustParseAddr(r.dst)] = Source{
			Addr: a, Deprecated: flag == "deprecated", Home: flag == "home", Tunnel: flag == "tunnel",
		}
	}
	c.Source = func(_ context.Context, dst netip.Addr) Source { return sources[dst] }
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// HE-05: the examples of RFC 6724 section 10.2 and the cases that package net tests, each in both directions, with the
// rule that decides between the first and the second. The routes stand in the order that is wanted.
func TestRFC6724(t *testing.T) {
	tests := []struct {
		name   string
		routes []route
		rule   Rule
	}{
		{"unreachable last", []route{{"192.0.2.1", "192.0.2.9"}, {"2001:db8::1", ""}}, RuleUnusable},
		{"unreachable last, whatever its precedence", []route{{"2001:0:1::1", "2001:0:1::2"}, {"::1", ""}}, RuleUnusable},
		{"matching scope: IPv4 has but a link-local source",
			[]route{{"2001:db8:1::1", "2001:db8:1::2"}, {"198.51.100.121", "169.254.13.78"}}, RuleScope},
		{"matching scope: IPv6 has but a link-local source",
			[]route{{"198.51.100.121", "198.51.100.117"}, {"2001:db8:1::1", "fe80::1"}}, RuleScope},
		{"matching scope: site-local",
			[]route{{"2001:db8:1::1", "2001:db8:1::2"}, {"fec0::1", "2001:db8:1::2"}}, RuleScope},
		{"deprecated source",
			[]route{{"2001:db8:1::1", "2001:db8:1::2"}, {"2001:db8:3::1", "2001:db8:3::2 deprecated"}}, RuleDeprecated},
		{"home address",
			[]route{{"2001:db8:3::1", "2001:db8:3::2 home"}, {"2001:db8:1::1", "2001:db8:1::2"}}, RuleHome},
		{"matching label: 6to4 to 6to4",
			[]route{{"2002:c633:6401::1", "2002:c633:6401::2"}, {"2001:db8:1::1", "2002:c633:6401::2"}}, RuleLabel},
		{"matching label: unique local from unique local, against a global address",
			[]route{{"fd00:1::1", "fd00:1::2"}, {"2001:db8:1::1", "fd00:1::2"}}, RuleLabel},
		{"matching label: IPv4 against a global address from a unique local one",
			[]route{{"198.51.100.121", "198.51.100.117"}, {"2001:db8:1::1", "fd00:1::2"}}, RuleLabel},
		{"precedence: IPv6 against private IPv4",
			[]route{{"2001:db8:1::1", "2001:db8:1::2"}, {"10.1.2.3", "10.1.2.4"}}, RulePrecedence},
		{"precedence: native against 6to4",
			[]route{{"2001:db8:1::1", "2001:db8:1::2"}, {"2002:c633:6401::1", "2002:c633:6401::2"}}, RulePrecedence},
		{"precedence: IPv4 against 6to4", []route{{"198.51.100.1", "198.51.100.2"}, {"2002:c633:6401::1", "2002:c633:6401::2"}}, RulePrecedence},
		{"precedence: IPv4 against Teredo", []route{{"198.51.100.1", "198.51.100.2"}, {"2001:0:1::1", "2001:0:1::2"}}, RulePrecedence},
		{"precedence: loopback against loopback", []route{{"::1", "::1"}, {"127.0.0.1", "127.0.0.1"}}, RulePrecedence},
		{"precedence: IPv4 against unique local", []route{{"198.51.100.1", "198.51.100.2"}, {"fd00:1::1", "fd00:1::2"}}, RulePrecedence},
		{"native transport",
			[]route{{"2001:db8:1::1", "2001:db8:1::2"}, {"2001:db8:3::1", "2001:db8:3::2 tunnel"}}, RuleNative},
		{"smaller scope", []route{{"fe80::1", "fe80::2"}, {"2001:db8:1::1", "2001:db8:1::2"}}, RuleSmallerScope},
		{"longest prefix",
			[]route{{"2001:db8:1::1", "2001:db8:1::2"}, {"2001:db8:3ffe::1", "2001:db8:3f44::2"}}, RuleLongestPrefix},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := routed(t, Config{}, tt.routes)
			in := destinations(tt.routes)
			want := in[0].String() + " " + in[1].String()
			for range 2 {
				slices.Reverse(in)
				got := e.Order(t.Context(), in, 443)
				if addrs(got) != want || got[0].Rule != RuleNone || got[1].Rule != tt.rule {
					t.Errorf("from %v: got %v, want %s by %v", in, got, want, tt.rule)
				}
			}
		})
	}
}

func destinations(routes []route) []netip.Addr {
	var out []netip.Addr
	for _, r := range routes {
		out = append(out, netip.MustParseAddr(r.dst))
	}
	return out
}

// HE-05: rule 9 leaves IPv4 alone, and rule 10 keeps what nothing distinguishes.
func TestOrderOfTheAnswerIsKept(t *testing.T) {
	for _, dsts := range [][]string{
		{"54.83.193.112", "184.72.238.214", "23.23.172.185", "75.101.148.21", "23.23.134.56", "23.21.50.150"},
		{"2001:db8::3", "2001:db8::1", "2001:db8::2"}, // one /64: the interface identifier does not count
	} {
		var routes []route
		for _, d := range dsts {
			src := "10.2.3.4"
			if strings.Contains(d, ":") {
				src = "2001:db8::2"
			}
			routes = append(routes, route{d, src})
		}
		got := routed(t, Config{}, routes).Order(t.Context(), destinations(routes), 443)
		if addrs(got) != strings.Join(dsts, " ") || got[1].Rule != RuleUnchanged {
			t.Errorf("got %v", got)
		}
	}
}

// HE-05: interleaving and family preference on top of RFC 6724.
func TestInterleave(t *testing.T) {
	const far, near = "2001:db8:9::1", "2001:db8:1::1"
	routes := []route{
		{far, "2001:db8:1::2"}, {"192.0.2.1", "192.0.2.9"}, {near, "2001:db8:1::2"}, {"192.0.2.2", "192.0.2.9"},
		{"192.0.2.3", "192.0.2.9"}, {"2001:db8:5::5", ""},
	}
	tests := []struct {
		name  string
		c     Config
		want  string
		rules []Rule
	}{
		{"one by one", Config{}, near + " 192.0.2.1 " + far + " 192.0.2.2 192.0.2.3 2001:db8:5::5",
			[]Rule{RuleNone, RulePrecedence, RuleInterleave, RulePrecedence, RuleUnchanged, RuleUnusable}},
		{"two first", Config{FirstFamilyCount: 2}, near + " " + far + " 192.0.2.1 192.0.2.2 192.0.2.3 2001:db8:5::5",
			[]Rule{RuleNone, RuleLongestPrefix, RulePrecedence, RuleUnchanged, RuleUnchanged, RuleUnusable}},
		{"prefer4", Config{Family: PreferIPv4}, "192.0.2.1 " + near + " 192.0.2.2 " + far + " 192.0.2.3 2001:db8:5::5",
			[]Rule{RuleNone, RuleFamily, RuleInterleave, RuleFamily, RuleInterleave, RuleUnusable}},
		{"4", Config{Family: IPv4Only}, "192.0.2.1 192.0.2.2 192.0.2.3", []Rule{RuleNone, RuleUnchanged, RuleUnchanged}},
		{"6", Config{Family: IPv6Only}, near + " " + far + " 2001:db8:5::5", []Rule{RuleNone, RuleLongestPrefix, RuleUnusable}},
	}
	for _, tt := range tests {
		got := routed(t, tt.c, routes).Order(t.Context(), destinations(routes), 443)
		var rules []Rule
		for _, c := range got {
			rules = append(rules, c.Rule)
		}
		if addrs(got) != tt.want || !slices.Equal(rules, tt.rules) {
			t.Errorf("%s: got %s by %v", tt.name, addrs(got), rules)
		}
	}
	// prefer6 turns round what RFC 6724 says of a host with unique local addresses only.
	routes = []route{{"192.0.2.1", "192.0.2.9"}, {near, "fd00::2"}}
	got := routed(t, Config{Family: PreferIPv6}, routes).Order(t.Context(), destinations(routes), 443)
	if addrs(got) != near+" 192.0.2.1" || got[1].Rule != RuleFamily {
		t.Errorf("prefer6: got %v", got)
	}
}

// The order does not depend on the algorithm that sorts: compare is antisymmetric and transitive.
func TestCompareIsAnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pool := []string{"::1", "127.0.0.1", "10.0.0.1", "192.0.2.1", "169.254.1.1", "2001:db8::1", "2001:db8:1::1", "fe80::1",
		"fd00::1", "fec0::1", "2002:c633:6401::1", "2001:0:1::1", "ff02::1", "ff0e::1", "::192.0.2.1", "3ffe::1"}
	pick := func() *candidate {
		c := newCandidate(netip.MustParseAddr(pool[rng.IntN(len(pool))]))
		c.dst = traitsOf(c.Addr)
		if src := netip.MustParseAddr(pool[rng.IntN(len(pool))]); src.Is4() == c.Addr.Is4() && rng.IntN(8) > 0 {
			c.Source = Source{Addr: src, Deprecated: rng.IntN(4) == 0, Home: rng.IntN(4) == 0, Tunnel: rng.IntN(4) == 0}
			c.src, c.Outcome = traitsOf(src), Outcome(rng.IntN(3))
		}
		return c
	}
	for range 200_000 {
		a, b, c := pick(), pick(), pick()
		prefer := Family(rng.IntN(5))
		ab, rule := compare(a, b, prefer)
		ba, same := compare(b, a, prefer)
		bc, _ := compare(b, c, prefer)
		ac, _ := compare(a, c, prefer)
		if ab != -ba || rule != same {
			t.Fatalf("%+v and %+v: %d, %d by %v, %v", a, b, ab, ba, rule, same)
		}
		if ab <= 0 && bc <= 0 && (ac > 0 || ac == 0 && ab+bc < 0) {
			t.Fatalf("not transitive:\n%+v\n%+v\n%+v", a, b, c)
		}
	}
}

func TestPolicyTable(t *testing.T) {
	tests := []struct {
		addr              string
		precedence, label uint8
	}{
		{"::1", 50, 0}, {"2600::1", 40, 1}, {"127.0.0.1", 35, 4}, {"::ffff:10.0.0.1", 35, 4}, {"2002::ab12", 30, 2},
		{"2001::1", 5, 5}, {"2001:db8::1", 40, 1}, {"fd00::1", 3, 13}, {"::192.0.2.1", 1, 3}, {"fec0::1", 1, 11}, {"3ffe::1", 1, 12},
		{"fe80::1%eth0", 40, 1},
	}
	for _, tt := range tests {
		if p := policyFor(netip.MustParseAddr(tt.addr)); p.precedence != tt.precedence || p.label != tt.label {
			t.Errorf("%s: precedence %d, label %d", tt.addr, p.precedence, p.label)
		}
	}
	if !slices.IsSortedFunc(policyTable[:], func(a, b policy) int { return b.prefix.Bits() - a.prefix.Bits() }) {
		t.Error("the first match is not the longest")
	}
}

func TestScope(t *testing.T) {
	for addr, want := range map[string]uint8{
		"127.0.0.1": 2, "::1": 2, "169.254.1.2": 2, "fe80::1%eth0": 2, "fec0::1": 5, "fd00::1": 14, "10.0.0.1": 14, "8.8.8.8": 14,
		"ff01::1": 1, "ff02::1": 2, "ff04::1": 4, "ff05::1": 5, "ff08::1": 8, "ff0e::1": 14, "224.0.0.1": 14,
	} {
		if got := scopeOf(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: scope %d, want %d", addr, got, want)
		}
	}
}

func TestCommonPrefix(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"fe80::1", "fe80::2", 64}, {"fe81::1", "fe80::2", 15}, {"2001:db8:0:1::", "2001:db8::", 63},
		{"::", "8000::", 0}, {"2001:db8::1%a", "2001:db8::1%b", 64},
	} {
		if got := commonPrefix(netip.MustParseAddr(tt.a), netip.MustParseAddr(tt.b)); got != tt.want {
			t.Errorf("%s, %s: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestRuleTexts(t *testing.T) {
	for r := RuleUnusable; r <= RuleInterleave; r++ {
		if r.String() == "" || r <= RuleUnchanged && !strings.HasPrefix(r.String(), "rule ") {
			t.Errorf("%d: %q", r, r)
		}
	}
	if RuleNone.String() != "" || RulePrecedence.Number() != 6 || RuleUnchanged.Number() != 10 || RuleInterleave.Number() != 0 {
		t.Error("numbers")
	}
	if Rule(99).String() != "Rule(99)" {
		t.Error(Rule(99).String())
	}
}

// HE-05: the default asks the system, by sockets that send nothing.
func TestConnectedSource(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	if got := ConnectedSource(nil, nil)(t.Context(), loopback); got.Addr != loopback {
		t.Errorf("127.0.0.1 from %v", got)
	}
	local := netip.MustParseAddr("127.0.0.7")
	if l, err := net.Listen("tcp", "127.0.0.7:0"); err == nil { // not every system has the whole of 127/8
		_ = l.Close()
		if got := ConnectedSource([]netip.Addr{local}, nil)(t.Context(), loopback); got.Addr != local {
			t.Errorf("bound to %v: from %v", local, got)
		}
	}
	if got := ConnectedSource(addrList("203.0.113.77"), nil)(t.Context(), loopback); got.Addr.IsValid() {
		t.Errorf("from an address that the host does not have: %v", got)
	}
	if got := ConnectedSource(nil, nil)(t.Context(), netip.MustParseAddr("fe80::1%nosuchinterface")); got.Addr.IsValid() {
		t.Errorf("over an interface that does not exist: %v", got)
	}
}

// No source is looked for where there is nothing to order.
func TestLoneAddressIsNotLookedInto(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip4"] = reply{after: 10 * ms, addrs: []string{x4}}
		w.host[x4] = peer{}
		var asked int
		source := func(ctx context.Context, dst netip.Addr) Source {
			asked++
			return mirror(ctx, dst)
		}
		e := w.engine(Config{Source: source})
		if got, err := w.dialTo(t.Context(), e, nil); got != x4 || asked != 0 {
			t.Errorf("got %s, %v; %d sources", got, err, asked)
		}
		if got := e.Order(t.Context(), addrList(x4), 443); len(got) != 1 || !got[0].Source.Addr.IsValid() {
			t.Errorf("Order: %v", got)
		}
	})
}
