package alliface

import (
	"net/netip"
	"testing"

	"github.com/epctl/endpoint/internal/packetinfo"
)

// A peer that has not been heard gets datagrams from the address that suits it.
func TestTheSourceForAnUnknownPeer(t *testing.T) {
	c := &PacketConn{set: newSet(everywhere(80), "udp", nil, nil)}
	var list []binding
	for _, t := range everywhere(80).Targets(newFakeSource(
		eth(1, "lo", "127.0.0.1", "::1"),
		eth(2, "eth0", "192.0.2.1", "10.1.0.1", "2001:db8:1::1", "fe80::1"),
		eth(3, "eth1", "10.2.0.1", "2001:db8:2::1", "fe80::1"),
	).Snapshot()) {
		s := &packetSocket{}
		s.moved(t)
		list = append(list, binding{t, s})
	}
	c.set.bound.Store(&list)
	for _, tc := range []struct {
		peer, want string
		index      int
	}{
		{"127.0.0.1", "127.0.0.1", 0},
		{"127.9.9.9", "127.0.0.1", 0},
		{"192.0.2.77", "192.0.2.1", 0},
		{"10.2.9.9", "10.2.0.1", 0},
		{"10.1.9.9", "10.1.0.1", 0},
		{"::1", "::1", 0},
		{"2001:db8:2::9", "2001:db8:2::1", 0},
		{"2001:db8:1::9", "2001:db8:1::1", 0},
		{"fe80::9%eth0", "fe80::1%eth0", 0},
		{"fe80::9%eth1", "fe80::1%eth1", 0},
		{"fe80::9%3", "fe80::1%eth1", 0},
		{"fe80::9", "fe80::1%eth1", 3},
	} {
		s, err := c.socketFor(packetinfo.Info{Peer: netip.AddrPortFrom(netip.MustParseAddr(tc.peer), 9), Interface: tc.index})
		if err != nil || s.target.Load().Addr.String() != tc.want {
			t.Errorf("%s: %v, %v, want %s", tc.peer, s.target.Load(), err, tc.want)
		}
	}
	// LI-14: the same local address on two interfaces.
	for index, want := range map[int]string{2: "fe80::1%eth0", 3: "fe80::1%eth1"} {
		to := packetinfo.Info{Peer: netip.MustParseAddrPort("[fe80::9]:9"), Local: netip.MustParseAddr("fe80::1"), Interface: index}
		if s, err := c.socketFor(to); err != nil || s.target.Load().Addr.String() != want {
			t.Errorf("from fe80::1 on %d: %v", index, err)
		}
	}
}
