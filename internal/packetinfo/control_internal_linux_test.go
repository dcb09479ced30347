package packetinfo

import (
	"bytes"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// What build writes parse reads: the messages have one form in both directions.
func TestControlMessagesThereAndBack(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	peer4, peer6 := netip.AddrPortFrom(v4, 1), netip.AddrPortFrom(v6, 1)
	tests := []struct {
		name string
		ipv6 bool
		to   Info
		want Info
	}{
		{"nothing", true, Info{Peer: peer6}, Info{}},
		{"source", true, Info{Peer: peer6, Local: v6}, Info{Local: v6}},
		{"source and way", true, Info{Peer: peer6, Local: v6, Interface: 7}, Info{Local: v6, Interface: 7}},
		{"way", true, Info{Peer: peer6, Interface: 7}, Info{Local: netip.IPv6Unspecified(), Interface: 7}},
		{"label", true, Info{Peer: peer6, FlowLabel: label}, Info{FlowLabel: label, Heard: Heard{label: label}}},
		{"all", true, Info{Peer: peer6, Local: v6, Interface: 7, FlowLabel: label},
			Info{Local: v6, Interface: 7, FlowLabel: label, Heard: Heard{label: label}}},
		{"IPv4 on IPv6", true, Info{Peer: peer4, Local: v4, FlowLabel: label}, Info{Local: v4}},
		{"way of IPv4 on IPv6", true, Info{Peer: peer4, Interface: 7}, Info{Local: netip.IPv4Unspecified(), Interface: 7}},
		{"a group is no source", true, Info{Peer: peer6, Local: netip.MustParseAddr("ff02::1")}, Info{}},
		{"a wildcard is no source", true, Info{Peer: peer6, Local: netip.IPv6Unspecified()}, Info{}},
		{"a broadcast is no source", false, Info{Peer: peer4, Local: v4, Heard: Heard{broadcast: true}}, Info{}},
	}
	for _, tt := range tests {
		oob := new(oobBuffer)
		var m message
		m.parse(oob.build(tt.ipv6, &tt.to, tt.to.Interface))
		if m.Info != tt.want {
			t.Errorf("%s: %+v\nwant %+v", tt.name, m.Info, tt.want)
		}
	}
}

const label = 0x5a5a5

// On IPv4 the address for an answer and the destination have places of their own.
func TestIPv4PacketInformation(t *testing.T) {
	oob := new(oobBuffer)
	to := Info{Peer: netip.MustParseAddrPort("192.0.2.1:1"), Local: netip.MustParseAddr("192.0.2.2"), Interface: 7}
	got := oob.build(false, &to, to.Interface)
	data := got[unix.CmsgLen(0):]
	if want := []byte{7, 0, 0, 0, 192, 0, 2, 2, 0, 0, 0, 0}; !bytes.Equal(data[:pktinfo4Size], want) && data[0] == 7 {
		t.Errorf("%v, want %v", data, want)
	}
	for destination, broadcast := range map[[4]byte]bool{{192, 0, 2, 2}: false, {192, 0, 2, 255}: true} {
		copy(data[8:], destination[:])
		var m message
		m.parse(got)
		if want := (Info{Local: netip.AddrFrom4(destination), Interface: 7, Heard: Heard{broadcast: broadcast}}); m.Info != want {
			t.Errorf("%+v, want %+v", m.Info, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(new(oobBuffer).build(true, &Info{Peer: netip.MustParseAddrPort("[::1]:1"), Local: netip.IPv6Loopback(), FlowLabel: label}, 1))
	f.Add(new(oobBuffer).build(false, &Info{Peer: netip.MustParseAddrPort("127.0.0.1:1")}, 1))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		aligned := new(oobBuffer)
		n := copy(aligned.bytes[:], b)
		var m message
		m.parse(aligned.bytes[:n])
	})
}

func TestZonesForgetWhenTheyAreMany(t *testing.T) {
	var z zones
	z.init(nil)
	for i := range 10 * maxRemembered {
		z.remember(i, "name")
	}
	if len(z.names) > maxRemembered {
		t.Errorf("%d names", len(z.names))
	}
}
