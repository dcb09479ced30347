package sockaddr

import (
	"context"
	"net"
	"net/netip"
)

// A Dialer is package net's, for addresses with zones. It may be used from several goroutines at once.
type Dialer struct {
	Transport Transport
	Local     netip.AddrPort // address with its zone, and port; the zero Addr and port 0 let the system choose
	// Net has the options. Its LocalAddr is the [Transport.NetAddr] of Local, or nil where the Control hook binds.
	Net net.Dialer
}

// Dial connects to remote, over the one family that remote is of. The second result is remote with its zone as an
// index; see [Index].
//
// Errors are a *net.OpError as from package net, with the addresses as they were given. A zone that remote or Local has
// is looked up each time, and is in the connection's addresses under the name that was given.
func (d *Dialer) Dial(ctx context.Context, remote netip.AddrPort) (net.Conn, netip.AddrPort, error) {
	at, dialer, err := d.indexed(remote)
	if err != nil {
		return nil, at, d.OpError(remote, err)
	}
	c, err := dialer.DialContext(ctx, d.Transport.Network(at.Addr()), at.String())
	if err != nil {
		return nil, at, d.Transport.AsGiven(err, d.Local, remote)
	}
	Named(c.RemoteAddr(), remote.Addr().Zone())
	Named(c.LocalAddr(), d.localZone(remote))
	return c, at, nil
}

// indexed returns remote, and a dialer whose local address package net can take as it is.
func (d *Dialer) indexed(remote netip.AddrPort) (netip.AddrPort, *net.Dialer, error) {
	addr, err := Indexed(remote.Addr())
	if err != nil {
		return remote, nil, err
	}
	at := netip.AddrPortFrom(addr, remote.Port())
	if d.Local.Addr().Zone() == "" || d.Net.LocalAddr == nil {
		return at, &d.Net, nil
	}
	local, err := Indexed(d.Local.Addr())
	if err != nil {
		return at, nil, err
	}
	dialer := d.Net
	dialer.LocalAddr = d.Transport.NetAddr(netip.AddrPortFrom(local, d.Local.Port()))
	return at, &dialer, nil
}

// localZone: a link-local address of ours that the system chose is on the interface of the peer's.
func (d *Dialer) localZone(remote netip.AddrPort) string {
	if zone := d.Local.Addr().Zone(); zone != "" {
		return zone
	}
	return remote.Addr().Zone()
}

// OpError returns err as package net would, for what else fails with a connection to remote.
func (d *Dialer) OpError(remote netip.AddrPort, err error) error {
	t := d.Transport
	return &net.OpError{Op: "dial", Net: t.Network(remote.Addr()), Source: t.NetAddr(d.Local), Addr: t.NetAddr(remote), Err: err}
}
