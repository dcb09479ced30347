package happyeyeballs

import (
	"context"
	"net"
	"net/netip"
	"syscall"
)

// A Source is the address from which a host would send to some destination, with what RFC 6724 section 6 wants to know
// about it. The zero Source says that there is no way to the destination. What a system does not tell stays false: the
// rules 3, 4 and 7 then decide nothing.
type Source struct {
	Addr       netip.Addr
	Deprecated bool // rule 3: its preferred lifetime is over (RFC 4862)
	Home       bool // rule 4: home and care-of address at once (RFC 6275)
	Tunnel     bool // rule 7: the way there is encapsulated, such as IPv6 in IPv4
}

// discard is the port to which sockets are connected that only look for their source (RFC 863): it does not matter, but
// some systems refuse port 0.
const discard = 9

// A SourceFunc tells the source address for dst. It must not block.
type SourceFunc func(ctx context.Context, dst netip.Addr) Source

// ConnectedSource asks the system: it connects an UDP socket to dst, which sends nothing, and looks where the socket is
// bound. The socket is bound to the address of local that has dst's family, where there is one; control, when not nil,
// is called on it first, as the field of [net.Dialer] is, and may bind it to an interface.
func ConnectedSource(local []netip.Addr, control func(network, address string, c syscall.RawConn) error) SourceFunc {
	return func(ctx context.Context, dst netip.Addr) Source {
		from := localFor(local, dst)
		if control == nil {
			if a, ok := quickSource(from, dst); ok {
				return Source{Addr: a}
			}
		}
		d := net.Dialer{Control: control}
		if from.IsValid() {
			d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		}
		c, err := d.DialContext(ctx, "udp", netip.AddrPortFrom(dst, discard).String())
		if err != nil {
			return Source{}
		}
		defer func() { _ = c.Close() }()
		return Source{Addr: c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()}
	}
}
