package netif

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
)

func TestTableAppliesEvents(t *testing.T) {
	v4, v6 := addr("192.0.2.1/24", 0), addr("2001:db8::1/64", 0)
	moved := addr("2001:db8::1/128", Deprecated)
	moved.Peer = netip.MustParseAddr("2001:db8::9")
	for _, c := range []struct {
		name   string
		events []event
		want   []Interface
	}{
		{"link added", []event{set(eth(3, "b")), set(eth(1, "a"))}, []Interface{eth(1, "a"), eth(3, "b")}},
		{"link renamed keeps its addresses", []event{set(eth(1, "a")), addrIs(1, v4), set(eth(1, "b"))}, []Interface{eth(1, "b", v4)}},
		{"link deleted", []event{set(eth(1, "a")), addrIs(1, v4), gone(1)}, nil},
		{"link deleted twice", []event{set(eth(1, "a")), gone(1), gone(1)}, nil},
		{"addresses in order", []event{set(eth(1, "a")), addrIs(1, v6), addrIs(1, v4)}, []Interface{eth(1, "a", v4, v6)}},
		{"address told twice", []event{set(eth(1, "a")), addrIs(1, v4), addrIs(1, v4)}, []Interface{eth(1, "a", v4)}},
		{"IPv6 address with another peer is the same", []event{set(eth(1, "a")), addrIs(1, v6), addrIs(1, moved)}, []Interface{eth(1, "a", moved)}},
		{"address removed", []event{set(eth(1, "a")), addrIs(1, v4), addrIs(1, v6), addrWas(1, v4)}, []Interface{eth(1, "a", v6)}},
		{"address removed twice", []event{set(eth(1, "a")), addrWas(1, v4)}, []Interface{eth(1, "a")}},
		{"address of no interface", []event{addrIs(1, v4), addrWas(1, v4)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got table
			for _, e := range c.events {
				got.apply(e)
			}
			for n := range got.list {
				got.list[n].Generation = 0
			}
			if !slices.EqualFunc(got.list, c.want, Interface.equal) {
				t.Errorf("got %v, want %v", got.list, c.want)
			}
		})
	}
}

// MC-02
func TestTableCountsGenerations(t *testing.T) {
	low := eth(1, "a")
	low.MTU = minMTU6 - 1
	for _, c := range []struct {
		name  string
		do    func(*table)
		anew  bool
		moved int
	}{
		{"told again", func(t *table) { t.apply(set(eth(1, "a"))) }, false, 1},
		{"listed again", func(t *table) { t.replace([]Interface{eth(1, "a")}) }, false, 1},
		{"deleted and made anew", func(t *table) { t.apply(gone(1)); t.apply(set(eth(1, "a"))) }, true, 1},
		{"deleted, then listed", func(t *table) { t.apply(gone(1)); t.replace([]Interface{eth(1, "a")}) }, true, 1},
		{"MTU too small for IPv6 and back", func(t *table) { t.apply(set(low)); t.apply(set(eth(1, "a"))) }, true, 1},
		{"MTU too small, then listed", func(t *table) { t.apply(set(low)); t.replace([]Interface{eth(1, "a")}) }, true, 1},
		{"MTU too small", func(t *table) { t.apply(set(low)) }, false, 1},
		{"listed with another", func(t *table) { t.replace([]Interface{eth(1, "a"), eth(2, "b")}) }, false, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got table
			got.replace([]Interface{eth(1, "a")})
			before := got.list[0].Generation
			c.do(&got)
			if anew := got.list[0].Generation != before; anew != c.anew || len(got.list) != c.moved {
				t.Errorf("another generation: %v, want %v; %d interfaces, want %d", anew, c.anew, len(got.list), c.moved)
			}
		})
	}
}

func TestSnapshotOfATableStaysAsItIs(t *testing.T) {
	a, b := addr("192.0.2.1/24", 0), addr("192.0.2.2/24", 0)
	var got table
	got.replace([]Interface{eth(1, "a", a, b), eth(2, "b")})
	before := got.snapshot()
	want := []Interface{eth(1, "a", a, b), eth(2, "b")}
	for n := range want {
		want[n].Generation = before[n].Generation
	}
	for _, e := range []event{
		addrWas(1, a), addrIs(1, addr("192.0.2.2/24", Deprecated)), addrIs(1, addr("192.0.2.0/24", 0)),
		set(eth(1, "c")), gone(1), set(eth(3, "d")), gone(2),
	} {
		got.apply(e)
	}
	if !reflect.DeepEqual(before, want) {
		t.Errorf("got %v, want %v", before, want)
	}
}

func TestAssembleOrdersWhatWasListed(t *testing.T) {
	v4, v6 := addr("192.0.2.1/24", 0), addr("2001:db8::1/64", 0)
	got := assemble([]event{
		set(eth(9, "c")), addrIs(9, v6), addrIs(5, v4), set(eth(1, "a")), set(eth(1, "a")), addrIs(9, v4), addrIs(9, v4), gone(1),
	})
	if want := []Interface{eth(1, "a"), eth(9, "c", v4, v6)}; !slices.EqualFunc(got, want, Interface.equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Whatever happens, the changes of Diff lead from one snapshot to the next.
func TestDiffLeadsFromOneSnapshotToTheNext(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var system table
	held := map[string]bool{}
	var last Snapshot
	for range 2000 {
		for range random.IntN(6) {
			system.apply(randomEvent(random))
		}
		now := Snapshot{Interfaces: system.snapshot()}
		for _, c := range Diff(last, now) {
			follow(t, held, c)
		}
		if want := keys(now); !reflect.DeepEqual(held, want) {
			t.Fatalf("after the changes: %v, want %v", held, want)
		}
		last = now
	}
}

func randomEvent(random *rand.Rand) event {
	index := 1 + random.IntN(5)
	a := Address{
		Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(random.IntN(5))}), 24+random.IntN(2)),
		Flags:  AddrFlags(random.IntN(2)),
	}
	switch random.IntN(5) {
	case 0:
		return gone(index)
	case 1:
		return addrWas(index, a)
	case 2, 3:
		return addrIs(index, a)
	}
	return set(eth(index, string(rune('a'+random.IntN(3)))))
}

// follow holds what a consumer of the changes would hold, and fails where a change does not fit.
func follow(t *testing.T, held map[string]bool, c Change) {
	t.Helper()
	drop, take := "", ""
	switch c.Op {
	case InterfaceRemoved:
		drop = linkKey(c.Interface)
	case InterfaceAdded:
		take = linkKey(c.Interface)
	case InterfaceChanged:
		drop, take = linkKey(c.Was), linkKey(c.Interface)
	case AddressRemoved:
		drop = addrKey(c.Interface, c.Address)
	case AddressAdded:
		take = addrKey(c.Interface, c.Address)
	case AddressChanged:
		drop, take = addrKey(c.Interface, c.WasAddr), addrKey(c.Interface, c.Address)
	}
	if drop != "" && !held[drop] || drop != take && held[take] {
		t.Fatalf("%s: held %v", c, held)
	}
	delete(held, drop)
	if take != "" {
		held[take] = true
	}
}

func linkKey(i Interface) string {
	return string(rune('0'+i.Index)) + i.Name + i.Flags.String() + string(rune(i.Generation))
}

func addrKey(i Interface, a Address) string { return string(rune('0'+i.Index)) + a.String() }

func keys(s Snapshot) map[string]bool {
	held := map[string]bool{}
	for _, i := range s.Interfaces {
		held[linkKey(i)] = true
		for _, a := range i.Addrs {
			held[addrKey(i, a)] = true
		}
	}
	return held
}
