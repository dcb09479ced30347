package netif

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// raw makes a netlink message of its type and its parts.
func raw(kind, flags uint16, parts ...[]byte) []byte {
	b := appendHeader(nil, kind, flags)
	for _, part := range parts {
		b = append(b, part...)
	}
	return finish(b, 0)
}

// attr makes an attribute.
func attr(kind uint16, value ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(attrHdrSize+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, align(len(value))-len(value))...)
}

func u32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

// code is how the kernel writes an error.
func code(e unix.Errno) []byte { return u32(uint32(-int32(e))) }

// linkBody is the fixed part of a message about a link.
func linkBody(family byte, index, flags uint32) []byte {
	return slices.Concat([]byte{family, 0, 0, 0}, u32(index), u32(flags), u32(0))
}

// addrBody is the fixed part of a message about an address.
func addrBody(family, bits, flags, scope byte, index uint32) []byte {
	return append([]byte{family, bits, flags, scope}, u32(index)...)
}

func TestParseEvents(t *testing.T) {
	ip4, peer4 := []byte{192, 0, 2, 1}, []byte{192, 0, 2, 2}
	ip6 := netip.MustParseAddr("2001:db8::1").AsSlice()
	eth0 := Interface{Index: 2, Name: "eth0", MTU: 1500, Flags: up}
	upFlags := uint32(unix.IFF_UP | unix.IFF_RUNNING | unix.IFF_MULTICAST)
	for _, c := range []struct {
		name     string
		datagram []byte
		want     []event
		err      error
	}{
		{"nothing", nil, nil, nil},
		{"link", raw(unix.RTM_NEWLINK, 0, linkBody(0, 2, upFlags), attr(unix.IFLA_IFNAME, []byte("eth0\x00")...), attr(unix.IFLA_MTU, u32(1500)...)),
			[]event{set(eth0)}, nil},
		{"link deleted", raw(unix.RTM_DELLINK, 0, linkBody(0, 2, upFlags), attr(unix.IFLA_IFNAME, []byte("eth0\x00")...), attr(unix.IFLA_MTU, u32(1500)...)),
			[]event{{op: linkGone, index: 2, link: eth0}}, nil},
		{"link of a bridge", raw(unix.RTM_DELLINK, 0, linkBody(unix.AF_BRIDGE, 2, upFlags)), nil, nil},
		{"MTU of a wrong size", raw(unix.RTM_NEWLINK, 0, linkBody(0, 2, 0), attr(unix.IFLA_MTU, 1, 2)), []event{set(Interface{Index: 2})}, nil},
		{"name without its end", raw(unix.RTM_NEWLINK, 0, linkBody(0, 2, 0), attr(unix.IFLA_IFNAME, []byte("ab")...)), []event{set(Interface{Index: 2, Name: "ab"})}, nil},
		{"link cut off", raw(unix.RTM_NEWLINK, 0, linkBody(0, 2, 0)[:15]), nil, errShort},
		{"link without a body", raw(unix.RTM_NEWLINK, 0), nil, errShort},
		{"attribute longer than its message", raw(unix.RTM_NEWLINK, 0, linkBody(0, 2, 0), []byte{0xff, 0x7f, 3, 0, 'a'}), []event{set(Interface{Index: 2})}, nil},
		{"attribute shorter than its header", raw(unix.RTM_NEWLINK, 0, linkBody(0, 2, 0), make([]byte, 64)), []event{set(Interface{Index: 2})}, nil},
		{"IPv4", raw(unix.RTM_NEWADDR, 0, addrBody(unix.AF_INET, 24, unix.IFA_F_SECONDARY, 253, 2), attr(unix.IFA_ADDRESS, ip4...), attr(unix.IFA_LOCAL, ip4...)),
			[]event{addrIs(2, Address{Prefix: netip.MustParsePrefix("192.0.2.1/24"), Scope: Link, Flags: Secondary})}, nil},
		{"IPv4 with a peer", raw(unix.RTM_DELADDR, 0, addrBody(unix.AF_INET, 32, 0, 0, 2), attr(unix.IFA_ADDRESS, peer4...), attr(unix.IFA_LOCAL, ip4...)),
			[]event{addrWas(2, Address{Prefix: netip.MustParsePrefix("192.0.2.1/32"), Peer: netip.MustParseAddr("192.0.2.2")})}, nil},
		{"IPv6 with long flags", raw(unix.RTM_NEWADDR, 0, addrBody(unix.AF_INET6, 64, 0, 0, 2), attr(unix.IFA_ADDRESS, ip6...), attr(unix.IFA_FLAGS, u32(unix.IFA_F_TENTATIVE|unix.IFA_F_TEMPORARY)...)),
			[]event{addrIs(2, addr("2001:db8::1/64", Tentative|Temporary))}, nil},
		{"all flags of IPv6", raw(unix.RTM_NEWADDR, 0, addrBody(unix.AF_INET6, 64, 0xff, 0, 2), attr(unix.IFA_ADDRESS, ip6...)),
			[]event{addrIs(2, addr("2001:db8::1/64", Tentative|DADFailed|Optimistic|Deprecated|Temporary|Permanent))}, nil},
		{"address of another family", raw(unix.RTM_NEWADDR, 0, addrBody(unix.AF_PHONET, 24, 0, 0, 2), attr(unix.IFA_ADDRESS, ip4...)), nil, nil},
		{"address cut off", raw(unix.RTM_NEWADDR, 0, []byte{unix.AF_INET, 24, 0}), nil, errShort},
		{"address without a body", raw(unix.RTM_NEWADDR, 0), nil, errShort},
		{"no address", raw(unix.RTM_NEWADDR, 0, addrBody(unix.AF_INET, 24, 0, 0, 2)), nil, errAddr},
		{"address of a wrong size", raw(unix.RTM_NEWADDR, 0, addrBody(unix.AF_INET, 24, 0, 0, 2), attr(unix.IFA_LOCAL, ip6...)), nil, errAddr},
		{"prefix longer than the address", raw(unix.RTM_NEWADDR, 0, addrBody(unix.AF_INET, 33, 0, 0, 2), attr(unix.IFA_LOCAL, ip4...)), nil, errAddr},
		{"two messages", append(raw(unix.RTM_NEWLINK, 0, linkBody(0, 2, 0)), raw(unix.RTM_DELLINK, 0, linkBody(0, 3, 0))...),
			[]event{set(Interface{Index: 2}), {op: linkGone, index: 3, link: Interface{Index: 3}}}, nil},
		{"another message", raw(unix.RTM_NEWROUTE, 0, make([]byte, 12)), nil, nil},
		{"header cut off", raw(unix.RTM_NEWLINK, 0)[:15], nil, errShort},
		{"length below the header's", append(u32(15), make([]byte, 12)...), nil, errShort},
		{"length beyond the datagram", append(u32(17), make([]byte, 12)...), nil, errShort},
		{"length beyond an int32", append(u32(0xfffffff0), make([]byte, 12)...), nil, errShort},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseEvents(nil, c.datagram)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			same := func(a, b event) bool {
				return a.op == b.op && a.index == b.index && a.addr == b.addr && a.link.equal(b.link)
			}
			if !slices.EqualFunc(got, c.want, same) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestDumpEndsAtDoneOrAnError(t *testing.T) {
	link := raw(unix.RTM_NEWLINK, unix.NLM_F_MULTI, linkBody(0, 2, 0))
	done := raw(unix.NLMSG_DONE, unix.NLM_F_MULTI, u32(0))
	failed := raw(unix.NLMSG_ERROR, 0, code(unix.EBUSY))
	for _, c := range []struct {
		name  string
		parts [][]byte
		done  bool
		links int
		err   error
	}{
		{"more to come", [][]byte{link}, false, 1, nil},
		{"in one part", [][]byte{slices.Concat(link, link, done)}, true, 2, nil},
		{"in two parts", [][]byte{link, done}, true, 1, nil},
		{"done without a code", [][]byte{raw(unix.NLMSG_DONE, 0)}, true, 0, nil},
		{"done with an error", [][]byte{raw(unix.NLMSG_DONE, 0, code(unix.ENOMEM))}, true, 0, unix.ENOMEM},
		{"refused", [][]byte{failed}, true, 0, unix.EBUSY},
		{"error without a code", [][]byte{raw(unix.NLMSG_ERROR, 0)}, true, 0, errShort},
		{"interrupted", [][]byte{raw(unix.RTM_NEWLINK, unix.NLM_F_DUMP_INTR, linkBody(0, 2, 0)), done}, true, 1, errInterrupted},
		{"one link broken", [][]byte{slices.Concat(raw(unix.RTM_NEWLINK, 0), link, done)}, true, 1, errShort},
		{"cut off", [][]byte{link[:20]}, true, 0, errShort},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d dumped
			for _, part := range c.parts {
				d.take(part)
			}
			if d.done != c.done || len(d.events) != c.links || !errors.Is(d.err, c.err) {
				t.Errorf("done %v, %d links, %v", d.done, len(d.events), d.err)
			}
		})
	}
}

func TestParseLinkAnswer(t *testing.T) {
	link := raw(unix.RTM_NEWLINK, 0, linkBody(0, 2, 0), attr(unix.IFLA_IFNAME, []byte("eth0\x00")...), make([]byte, 2000))
	for _, c := range []struct {
		name   string
		answer []byte
		want   string
		err    error
	}{
		{"whole", link, "eth0", nil},
		{"without its end", link[:1024], "eth0", nil},
		{"there is none", raw(unix.NLMSG_ERROR, 0, code(unix.ENODEV)), "", ErrNoInterface},
		{"refused", raw(unix.NLMSG_ERROR, 0, code(unix.EPERM)), "", unix.EPERM},
		{"cut off", link[:20], "", errShort},
		{"nothing", nil, "", errShort},
		{"an error of no error", raw(unix.NLMSG_ERROR, 0, u32(0)), "", errAnswer},
		{"another message", raw(unix.RTM_NEWADDR, 0), "", errAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseLinkAnswer(slices.Clone(c.answer))
			if got.Name != c.want || !errors.Is(err, c.err) {
				t.Errorf("got %q, %v, want %q, %v", got.Name, err, c.want, c.err)
			}
		})
	}
}

func TestLinkQueryFitsForEveryNameThatCanBeAskedFor(t *testing.T) {
	for length := 1; length <= maxAltName; length++ {
		m, rest, err := nextMessage(appendLinkQuery(nil, 0, 0, strings.Repeat("n", length)))
		if err != nil || len(rest) != 0 || len(m.body)%msgAlign != 0 {
			t.Fatalf("name of %d bytes: %d bytes of body, %d after it, %v", length, len(m.body), len(rest), err)
		}
	}
}

// Whatever comes, nothing panics, and what was read holds together.
func FuzzMessages(f *testing.F) {
	f.Fuzz(func(t *testing.T, datagram []byte) {
		events, _ := parseEvents(nil, datagram)
		var d dumped
		d.take(datagram)
		if i, err := parseLinkAnswer(slices.Clone(datagram)); err != nil && i.Name != "" {
			t.Errorf("an error and the name %q", i.Name)
		}
		var system table
		system.replace(assemble(d.events))
		before := Snapshot{Interfaces: system.snapshot()}
		for _, e := range events {
			if (e.op == addrSet || e.op == addrGone) && !e.addr.Prefix.IsValid() {
				t.Errorf("event %+v without a valid address", e)
			}
			system.apply(e)
		}
		now := Snapshot{Interfaces: system.snapshot()}
		ordered := slices.IsSortedFunc(now.Interfaces, func(a, b Interface) int { return a.Index - b.Index })
		if changes := Diff(before, now); !ordered || len(changes) == 0 != before.equal(now) {
			t.Errorf("changes %v from %v to %v", changes, before, now)
		}
	})
}
