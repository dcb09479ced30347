package sockaddr

import (
	"net"
	"net/netip"
	"syscall"
)

// A PacketAddr is a plugin's own address of a datagram; the zero one is not valid.
type PacketAddr interface{ IsValid() bool }

// ReadFrom turns what a ReadFromAddr returned into what [net.PacketConn] wants: the address by a pointer, which is nil
// where there is none.
func ReadFrom[A PacketAddr, P pointer[A]](n int, addr A, err error) (int, net.Addr, error) {
	if !addr.IsValid() {
		return n, nil, err
	}
	return n, P(&addr), err
}

// A PacketWriter sends to addresses of its own kind.
type PacketWriter[A any] interface {
	WriteToAddr(b []byte, to A) (int, error)
	LocalAddr() net.Addr
}

// WriteTo sends b to an A, a pointer to one, or a *[net.UDPAddr], of which bare makes an A. Anything else is EINVAL, in a
// *net.OpError, and so is a nil *A.
func WriteTo[A any, P pointer[A]](c PacketWriter[A], b []byte, to net.Addr, bare func(netip.AddrPort) A) (int, error) {
	switch to := any(to).(type) {
	case P:
		if to == nil {
			return 0, noAddress(c, nil) // its String would panic
		}
		return c.WriteToAddr(b, *to)
	case A:
		return c.WriteToAddr(b, to)
	case *net.UDPAddr:
		peer := to.AddrPort()
		return c.WriteToAddr(b, bare(netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())))
	}
	return 0, noAddress(c, to)
}

func noAddress[A any](c PacketWriter[A], to net.Addr) error {
	return &net.OpError{Op: "write", Net: string(UDP), Source: c.LocalAddr(), Addr: to, Err: syscall.EINVAL}
}

type pointer[A any] interface {
	*A
	net.Addr
}
