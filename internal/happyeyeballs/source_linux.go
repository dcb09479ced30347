package happyeyeballs

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// quickSource is what ConnectedSource does, by four system calls instead of the dozen with which package net makes a
// socket ready for use. It is false where that has to do it.
func quickSource(local, dst netip.Addr) (netip.Addr, bool) {
	if dst.Zone() != "" || local.Zone() != "" {
		return netip.Addr{}, false
	}
	family := unix.AF_INET6
	if dst.Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return netip.Addr{}, true
	}
	defer func() { _ = unix.Close(fd) }()
	if local.IsValid() && unix.Bind(fd, sockaddr(local, 0)) != nil {
		return netip.Addr{}, true
	}
	if unix.Connect(fd, sockaddr(dst, discard)) != nil {
		return netip.Addr{}, true
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return netip.Addr{}, true
	}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr), true
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr).Unmap(), true
	}
	return netip.Addr{}, true
}

func sockaddr(a netip.Addr, port int) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4(), Port: port}
	}
	return &unix.SockaddrInet6{Addr: a.As16(), Port: port}
}
