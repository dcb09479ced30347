package tcpsock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/epctl/endpoint/internal/flowlabel"
	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/trace"
)

// A DialSpec says how to connect; to whom is told with each dial.
type DialSpec struct {
	Layer     string        // name of the plugin, for trace events; "" where the caller tells them
	Timeout   time.Duration // bounds the dial only; 0 is the system's own patience
	LocalAddr netip.Addr    // local address with its zone; the zero Addr lets the system choose
	LocalPort uint16        // local port; 0 lets the system choose
	FlowLabel uint32        // IPv6 flow label, Linux only; 0 is none
	Options   sockopt.Dial
}

// Problems returns what is wrong with the spec without asking the system, under the names bindAddress, flowLabel,
// timeout and those of the socket options. The network is "tcp4", "tcp6", or "tcp" where either may be tried.
func (s DialSpec) Problems(network string) []sockopt.Problem {
	var list []sockopt.Problem
	bad := func(param, message string) { list = append(list, sockopt.Problem{Param: param, Message: message}) }
	if s.LocalAddr.IsValid() {
		list = appendAddrProblem(list, network, "bindAddress", s.LocalAddr)
		if len(list) > 0 && s.LocalAddr.Is4() == (network == "tcp6") {
			list[0].With = "host"
		}
	}
	switch {
	case s.FlowLabel > flowlabel.Max:
		bad("flowLabel", fmt.Sprintf("is more than 20 bits (%d)", flowlabel.Max))
	case s.FlowLabel != 0 && (network == "tcp4" || s.LocalAddr.Is4()):
		bad("flowLabel", "is for IPv6 only")
	}
	if s.Timeout < 0 {
		bad("timeout", "can't be negative")
	}
	return append(list, s.Options.Problems(s.narrow(network))...)
}

// RemoteProblems returns what is wrong with connecting to remote over network ("tcp4", "tcp6" or "tcp") from the
// spec's local address: remote's own faults, and families that do not go together, under the name host.
func (s DialSpec) RemoteProblems(network string, remote netip.Addr) []sockopt.Problem {
	if list := appendAddrProblem(nil, network, "host", remote); list != nil || !s.LocalAddr.IsValid() {
		return list
	}
	// Over one family alone, the local address of the other is a problem of its own.
	if network == "tcp" && s.LocalAddr.Is4() != remote.Is4() {
		message := fmt.Sprintf("%s and %s are of different families", remote, s.LocalAddr)
		return []sockopt.Problem{{Param: "host", Message: message, With: "bindAddress"}}
	}
	return nil
}

// narrow returns the network that is left of "tcp" where the local address or a flow label decides the family.
func (s DialSpec) narrow(network string) string {
	switch {
	case network != "tcp":
		return network
	case s.FlowLabel != 0:
		return "tcp6"
	case s.LocalAddr.IsValid():
		return networkOf(s.LocalAddr)
	}
	return "tcp"
}

// A Dialer makes connections by one spec, any number of them and from any goroutine.
type Dialer struct {
	spec   DialSpec
	dialer net.Dialer
	zoned  bool // the local address has a zone, so dialer's LocalAddr can't be made before it is used
}

// NewDialer prepares for s, which has no [DialSpec.Problems]. It does no I/O.
func NewDialer(s DialSpec) *Dialer {
	d := &Dialer{spec: s, dialer: s.Options.Dialer()}
	d.dialer.Timeout = s.Timeout
	if s.LocalAddr.IsValid() && s.LocalPort == 0 {
		d.dialer.Control = late(d.dialer.Control)
	}
	switch {
	case s.FlowLabel != 0:
		// The hook binds and connects itself, so package net must not know of the local address.
		d.dialer.Control = d.labelled(d.dialer.Control)
	case s.LocalAddr.IsValid() || s.LocalPort != 0:
		d.dialer.LocalAddr = localAddr(s.LocalAddr, s.LocalPort)
		d.zoned = s.LocalAddr.Zone() != ""
	}
	return d
}

// localAddr leaves the IP nil where only the port is given, which package net takes for either family.
func localAddr(a netip.Addr, port uint16) *net.TCPAddr {
	return &net.TCPAddr{IP: a.AsSlice(), Zone: a.Zone(), Port: int(port)}
}

func late(options sockopt.Control) sockopt.Control {
	return func(network, address string, c syscall.RawConn) error {
		if err := sockopt.BindLate(c); err != nil || options == nil {
			return err
		}
		return options(network, address, c)
	}
}

// labelled returns a hook that leases the flow label and connects with it; see [flowlabel.Connect].
func (d *Dialer) labelled(options sockopt.Control) sockopt.Control {
	return func(network, address string, c syscall.RawConn) error {
		if options != nil {
			if err := options(network, address, c); err != nil {
				return err
			}
		}
		remote, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		local, err := d.localForLabel()
		if err != nil {
			return err
		}
		to := flowlabel.Address{AddrPort: remote, ZoneIndex: zoneIndex(remote.Addr())}
		return flowlabel.Connect(c, d.spec.FlowLabel, local, to)
	}
}

// localForLabel is the zero Address where the system is to choose both address and port.
func (d *Dialer) localForLabel() (flowlabel.Address, error) {
	addr := d.spec.LocalAddr
	if !addr.IsValid() {
		if d.spec.LocalPort == 0 {
			return flowlabel.Address{}, nil
		}
		addr = netip.IPv6Unspecified()
	}
	local := flowlabel.Address{AddrPort: netip.AddrPortFrom(addr, d.spec.LocalPort)}
	if addr.Zone() == "" {
		return local, nil
	}
	var err error
	local.ZoneIndex, err = netif.ZoneIndex(addr.Zone())
	return local, err
}

// Dial connects to remote, over the one family that remote is of. The context and the spec's timeout bound the dial
// only.
//
// Errors are a *net.OpError as from package net, with Timeout() true when the time was up. A zone that remote or the
// local address has is in the connection's addresses under the name that was given.
func (d *Dialer) Dial(ctx context.Context, remote netip.AddrPort) (*net.TCPConn, error) {
	if trace.From(ctx) == nil {
		return d.Attempt(ctx, remote)
	}
	span := trace.StartAttempt(ctx, d.spec.Layer, networkOf(remote.Addr()), netAddr(remote))
	c, err := d.Attempt(ctx, remote)
	if err != nil {
		span.End(nil, err)
		return nil, err
	}
	span.End(c.LocalAddr(), nil)
	return c, nil
}

// Attempt is Dial for a caller that tells package trace about the attempt itself, as one that races addresses does.
func (d *Dialer) Attempt(ctx context.Context, remote netip.AddrPort) (*net.TCPConn, error) {
	if d.zoned || remote.Addr().Zone() != "" {
		return d.dialZoned(ctx, remote)
	}
	c, err := d.dialer.DialContext(ctx, networkOf(remote.Addr()), remote.String())
	if err != nil {
		return nil, d.asGiven(remote, err)
	}
	return d.connected(c.(*net.TCPConn), remote)
}

// dialZoned looks the zones up, which package net would do in an old list, and puts their names back.
func (d *Dialer) dialZoned(ctx context.Context, remote netip.AddrPort) (*net.TCPConn, error) {
	addr, err := indexed(remote.Addr())
	if err != nil {
		return nil, d.opError(remote, err)
	}
	dialer, err := d.ready()
	if err != nil {
		return nil, d.opError(remote, err)
	}
	c, err := dialer.DialContext(ctx, networkOf(addr), netip.AddrPortFrom(addr, remote.Port()).String())
	if err != nil {
		return nil, d.asGiven(remote, err)
	}
	named(c.RemoteAddr(), remote.Addr().Zone())
	named(c.LocalAddr(), d.localZone(remote))
	return d.connected(c.(*net.TCPConn), remote)
}

// ready returns a net.Dialer whose local address package net can take as it is.
func (d *Dialer) ready() (*net.Dialer, error) {
	if !d.zoned {
		return &d.dialer, nil
	}
	local, err := indexed(d.spec.LocalAddr)
	if err != nil {
		return nil, err
	}
	dialer := d.dialer
	dialer.LocalAddr = localAddr(local, d.spec.LocalPort)
	return &dialer, nil
}

// localZone: a link-local address of ours that the system chose is on the interface of the peer's.
func (d *Dialer) localZone(remote netip.AddrPort) string {
	if zone := d.spec.LocalAddr.Zone(); zone != "" {
		return zone
	}
	return remote.Addr().Zone()
}

func (d *Dialer) connected(c *net.TCPConn, remote netip.AddrPort) (*net.TCPConn, error) {
	if err := d.spec.Options.Connected(c); err != nil {
		_ = c.Close()
		return nil, d.opError(remote, err)
	}
	return c, nil
}

func (d *Dialer) opError(remote netip.AddrPort, err error) error {
	return &net.OpError{Op: "dial", Net: networkOf(remote.Addr()), Source: d.source(), Addr: netAddr(remote), Err: err}
}

func (d *Dialer) source() net.Addr {
	if !d.spec.LocalAddr.IsValid() && d.spec.LocalPort == 0 {
		return nil
	}
	return localAddr(d.spec.LocalAddr, d.spec.LocalPort)
}

// asGiven puts the addresses as they were given into an error of package net, which has zones as indexes, and no local
// address where a flow label is to be sent.
func (d *Dialer) asGiven(remote netip.AddrPort, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		op.Source, op.Addr = d.source(), netAddr(remote)
	}
	return err
}
