package packetinfo

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	supported = true
	truncated = unix.MSG_TRUNC

	// oobSize has room for the messages that the kernel may put: in_pktinfo and in6_pktinfo (a dual-stack socket gives
	// both for IPv4), flow information, and the length of segments.
	oobSize = 128

	flowInfo  = 11 // IPV6_FLOWINFO of linux/in6.h: in 32 bits of network order the traffic class and the flow label
	labelMask = 0xfffff

	pktinfo4Size = 12 // in_pktinfo: index, local address for an answer, destination address
	pktinfo6Size = 20 // in6_pktinfo: destination address, index
)

func (o Options) set(fd int, network string) error {
	type option struct {
		on          bool
		name        string
		level, code int
	}
	for _, s := range []option{
		// A dual-stack socket tells the destination of an IPv4 datagram in IPv6 form too, but only in_pktinfo tells a
		// broadcast.
		{o.Info && network != "udp6", "IP_PKTINFO", unix.SOL_IP, unix.IP_PKTINFO},
		{o.Info && network != "udp4", "IPV6_RECVPKTINFO", unix.SOL_IPV6, unix.IPV6_RECVPKTINFO},
		{o.Info && network != "udp4", "IPV6_FLOWINFO", unix.SOL_IPV6, flowInfo},
		{o.GRO, "UDP_GRO", unix.SOL_UDP, unix.UDP_GRO},
	} {
		if !s.on {
			continue
		}
		if err := unix.SetsockoptInt(fd, s.level, s.code, 1); err != nil {
			return fmt.Errorf("socket option %s%s: %w", s.name, hint(s.code, err), os.NewSyscallError("setsockopt", err))
		}
	}
	return nil
}

func hint(code int, err error) string {
	if code == unix.UDP_GRO && err == unix.ENOPROTOOPT {
		return ": this kernel can't put datagrams together (Linux 5.0 and later can)"
	}
	return ""
}

// parse takes what the kernel put beside a datagram; what it does not know it leaves out.
func (m *message) parse(oob []byte) {
	for len(oob) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return
		}
		m.take(h.Level, h.Type, data)
		oob = rest
	}
}

func (m *message) take(level, kind int32, data []byte) {
	switch {
	case level == unix.SOL_IP && kind == unix.IP_PKTINFO && len(data) >= pktinfo4Size:
		m.Interface = int(binary.NativeEndian.Uint32(data))
		m.Local = netip.AddrFrom4([4]byte(data[8:12]))
		m.Heard.broadcast = [4]byte(data[4:8]) != [4]byte(data[8:12])
	case level == unix.SOL_IPV6 && kind == unix.IPV6_PKTINFO && len(data) >= pktinfo6Size:
		m.Local = netip.AddrFrom16([16]byte(data[:16])).Unmap()
		m.Interface = int(binary.NativeEndian.Uint32(data[16:]))
	case level == unix.SOL_IPV6 && kind == flowInfo && len(data) >= 4:
		m.FlowLabel = binary.BigEndian.Uint32(data) & labelMask
		m.Heard.label = m.FlowLabel
	case level == unix.SOL_UDP && kind == unix.UDP_GRO && len(data) >= 4:
		m.segment = int(binary.NativeEndian.Uint32(data))
	}
}

// build writes the control messages for a datagram into o, which is empty, and returns them. An IPv6 socket takes the
// source of an IPv4 datagram in IPv6 form.
func (o *oobBuffer) build(ipv6 bool, to *Info, index int) []byte {
	source := to.source()
	switch wanted := source.IsValid() || index != 0; {
	case wanted && ipv6:
		if !source.IsValid() {
			source = unspecified(to.Peer.Addr())
		}
		data := o.add(unix.SOL_IPV6, unix.IPV6_PKTINFO, pktinfo6Size)
		address := source.As16()
		copy(data, address[:])
		binary.NativeEndian.PutUint32(data[16:], uint32(index))
	case wanted:
		data := o.add(unix.SOL_IP, unix.IP_PKTINFO, pktinfo4Size)
		binary.NativeEndian.PutUint32(data, uint32(index))
		if source.Is4() {
			address := source.As4()
			copy(data[4:], address[:])
		}
	}
	if to.FlowLabel != 0 && to.Peer.Addr().Is6() {
		binary.BigEndian.PutUint32(o.add(unix.SOL_IPV6, flowInfo, 4), to.FlowLabel&labelMask)
	}
	return o.bytes[:o.used]
}

// unspecified returns the address of a's family that stands for none.
func unspecified(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// add appends a message with size zero bytes of data and returns the data. The bytes behind what is used are zero.
func (o *oobBuffer) add(level, kind int32, size int) []byte {
	start := o.used
	o.used += unix.CmsgSpace(size)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&o.bytes[start]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(size))
	return o.bytes[start+unix.CmsgLen(0):][:size]
}
