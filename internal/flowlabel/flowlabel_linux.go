package flowlabel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// in6_flowlabel_req and its constants, and the two options, from linux/in6.h.
const (
	actionGet  = 0   // IPV6_FL_A_GET
	flagCreate = 1   // IPV6_FL_F_CREATE
	shareAny   = 255 // IPV6_FL_S_ANY

	requestSize = 32

	labelManager = 32 // IPV6_FLOWLABEL_MGR
	flowInfoSend = 33 // IPV6_FLOWINFO_SEND, ipv6(7)

	// statelessFlag is the bit that the kernel keeps for the labels that it makes itself, while the sysctl
	// net.ipv6.flowlabel_state_ranges is 1.
	statelessFlag = 0x80000
)

func connect(fd int, label uint32, local, remote Address) error {
	if err := lease(fd, label, remote.AddrPort.Addr()); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_IPV6, flowInfoSend, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if local.AddrPort.IsValid() {
		if err := unix.Bind(fd, bindAddress(local)); err != nil {
			return os.NewSyscallError("bind", err)
		}
	}
	switch err := connectWithLabel(fd, label, remote); err {
	case 0, unix.EINPROGRESS, unix.EALREADY, unix.EINTR:
		return nil
	default:
		return os.NewSyscallError("connect", err)
	}
}

// lease asks for the label in the one mode in which other sockets, and other users, can have it too: a label names a
// flow only together with the two addresses (RFC 6437 section 2), so there is nothing to protect.
func lease(fd int, label uint32, remote netip.Addr) error {
	var request [requestSize]byte
	destination := remote.As16()
	copy(request[0:16], destination[:])
	binary.BigEndian.PutUint32(request[16:], label)
	request[20] = actionGet
	request[21] = shareAny
	binary.NativeEndian.PutUint16(request[22:], flagCreate)
	err := unix.SetsockoptString(fd, unix.SOL_IPV6, labelManager, string(request[:]))
	if err == nil {
		return nil
	}
	return fmt.Errorf("lease of flow label %#x%s: %w", label, leaseHint(label, err), os.NewSyscallError("setsockopt", err))
}

func leaseHint(label uint32, err error) string {
	switch {
	case errors.Is(err, unix.ERANGE) && label&statelessFlag != 0:
		return ": the kernel keeps labels from 0x80000 on for itself (sysctl net.ipv6.flowlabel_state_ranges)"
	case errors.Is(err, unix.EPERM):
		return ": another program holds it and does not share it"
	}
	return ""
}

func bindAddress(a Address) *unix.SockaddrInet6 {
	return &unix.SockaddrInet6{
		Addr:   a.AddrPort.Addr().As16(),
		Port:   int(a.AddrPort.Port()),
		ZoneId: uint32(a.ZoneIndex),
	}
}

// connectWithLabel is connect(2) itself, because neither syscall nor x/sys/unix has a field for the flow information.
func connectWithLabel(fd int, label uint32, remote Address) unix.Errno {
	sa := unix.RawSockaddrInet6{
		Family:   unix.AF_INET6,
		Port:     networkOrder16(remote.AddrPort.Port()),
		Flowinfo: networkOrder32(label),
		Addr:     remote.AddrPort.Addr().As16(),
		Scope_id: uint32(remote.ZoneIndex),
	}
	_, _, err := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&sa)), unix.SizeofSockaddrInet6)
	return err
}

func networkOrder16(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}

func networkOrder32(n uint32) uint32 {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return binary.NativeEndian.Uint32(b[:])
}
