package netif

import (
	"encoding/binary"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// parseEvents appends what the messages of a datagram tell to events.
func parseEvents(events []event, datagram []byte) ([]event, error) {
	for len(datagram) > 0 {
		m, rest, err := nextMessage(datagram)
		if err != nil {
			return events, err
		}
		e, ok, err := parseEvent(m)
		if err != nil {
			return events, err
		}
		if ok {
			events = append(events, e)
		}
		datagram = rest
	}
	return events, nil
}

// parseEvent reads an RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR or RTM_DELADDR; ok is false for what is no news of an
// interface or of an IP address of one.
func parseEvent(m message) (e event, ok bool, err error) {
	switch m.kind {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		if len(m.body) > 0 && m.body[0] != unix.AF_UNSPEC {
			return e, false, nil // a bridge tells in this way that the interface is, or is no longer, one of its ports
		}
		e.link, err = parseLink(m.body)
		e.index = e.link.Index
		if m.kind == unix.RTM_DELLINK {
			e.op = linkGone
		}
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		if len(m.body) > 0 && m.body[0] != unix.AF_INET && m.body[0] != unix.AF_INET6 {
			return e, false, nil
		}
		e.index, e.addr, err = parseAddr(m.body)
		e.op = addrSet
		if m.kind == unix.RTM_DELADDR {
			e.op = addrGone
		}
	default:
		return e, false, nil
	}
	return e, err == nil, err
}

// parseLink reads the body of an RTM_NEWLINK or RTM_DELLINK; attributes may be cut off at the end.
func parseLink(body []byte) (Interface, error) {
	if len(body) < linkSize {
		return Interface{}, errShort
	}
	order := binary.NativeEndian
	i := Interface{Index: int(int32(order.Uint32(body[4:]))), Flags: linkFlags(order.Uint32(body[8:]))}
	for kind, value, rest, ok := nextAttr(body[linkSize:]); ok; kind, value, rest, ok = nextAttr(rest) {
		switch {
		case kind == unix.IFLA_IFNAME:
			i.Name = unix.ByteSliceToString(value)
		case kind == unix.IFLA_MTU && len(value) == 4:
			i.MTU = int(int32(order.Uint32(value)))
		}
	}
	return i, nil
}

func linkFlags(raw uint32) net.Flags {
	var flags net.Flags
	for _, f := range [...]struct {
		raw  uint32
		flag net.Flags
	}{
		{unix.IFF_UP, net.FlagUp},
		{unix.IFF_BROADCAST, net.FlagBroadcast},
		{unix.IFF_LOOPBACK, net.FlagLoopback},
		{unix.IFF_POINTOPOINT, net.FlagPointToPoint},
		{unix.IFF_MULTICAST, net.FlagMulticast},
		{unix.IFF_RUNNING, net.FlagRunning},
	} {
		if raw&f.raw != 0 {
			flags |= f.flag
		}
	}
	return flags
}

// parseAddr reads the body of an RTM_NEWADDR or RTM_DELADDR.
func parseAddr(body []byte) (index int, a Address, err error) {
	if len(body) < addrSize {
		return 0, Address{}, errShort
	}
	order := binary.NativeEndian
	raw, v4 := uint32(body[2]), body[0] == unix.AF_INET
	var local, address netip.Addr
	for kind, value, rest, ok := nextAttr(body[addrSize:]); ok; kind, value, rest, ok = nextAttr(rest) {
		switch {
		case kind == unix.IFA_LOCAL:
			local = ipOf(value, v4)
		case kind == unix.IFA_ADDRESS:
			address = ipOf(value, v4)
		case kind == unix.IFA_FLAGS && len(value) == 4:
			raw = order.Uint32(value) // the same and those that did not fit into the byte
		}
	}
	switch {
	case !local.IsValid():
		local = address // IPv6 without a peer
	case address != local:
		a.Peer = address
	}
	a.Prefix = netip.PrefixFrom(local, int(body[1]))
	if !a.Prefix.IsValid() {
		return 0, Address{}, errAddr
	}
	a.Scope, a.Flags = Scope(body[3]), addrFlags(raw, v4)
	return int(int32(order.Uint32(body[4:]))), a, nil
}

// ipOf reads an address of the family; an invalid one is returned for a value of another length.
func ipOf(value []byte, v4 bool) netip.Addr {
	ip, ok := netip.AddrFromSlice(value)
	if !ok || ip.Is4() != v4 {
		return netip.Addr{}
	}
	return ip
}

func addrFlags(raw uint32, v4 bool) AddrFlags {
	var flags AddrFlags
	for _, f := range [...]struct {
		raw  uint32
		flag AddrFlags
	}{
		{unix.IFA_F_TENTATIVE, Tentative},
		{unix.IFA_F_DADFAILED, DADFailed},
		{unix.IFA_F_OPTIMISTIC, Optimistic},
		{unix.IFA_F_DEPRECATED, Deprecated},
		{unix.IFA_F_TEMPORARY, Temporary},
		{unix.IFA_F_PERMANENT, Permanent},
	} {
		if raw&f.raw != 0 {
			flags |= f.flag
		}
	}
	if v4 && flags&Temporary != 0 {
		flags ^= Temporary | Secondary // one bit with two meanings
	}
	return flags
}
