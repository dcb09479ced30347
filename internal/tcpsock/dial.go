package tcpsock

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/epctl/endpoint/internal/flowlabel"
	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/sockaddr"
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
	if s.LocalAddr.IsValid() {
		list = sockaddr.Problems(network, "bindAddress", s.LocalAddr)
		if len(list) > 0 && s.LocalAddr.Is4() == (network == "tcp6") {
			list[0].With = "host"
		}
	}
	list = append(list, sockaddr.LabelProblems(network, s.LocalAddr, s.FlowLabel)...)
	if s.Timeout < 0 {
		list = append(list, sockopt.Problem{Param: "timeout", Message: "can't be negative"})
	}
	return append(list, s.Options.Problems(sockaddr.TCP.Narrow(network, s.LocalAddr, s.FlowLabel))...)
}

// RemoteProblems returns what is wrong with connecting to remote over network ("tcp4", "tcp6" or "tcp") from the
// spec's local address: remote's own faults, and families that do not go together, under the name host.
func (s DialSpec) RemoteProblems(network string, remote netip.Addr) []sockopt.Problem {
	if list := sockaddr.Problems(network, "host", remote); list != nil || !s.LocalAddr.IsValid() {
		return list
	}
	// Over one family alone, the local address of the other is a problem of its own.
	if network == "tcp" && s.LocalAddr.Is4() != remote.Is4() {
		return []sockopt.Problem{sockaddr.FamilyProblem(remote, s.LocalAddr)}
	}
	return nil
}

// A Dialer makes connections by one spec, any number of them and from any goroutine.
type Dialer struct {
	spec   DialSpec
	dialer sockaddr.Dialer
}

// NewDialer prepares for s, which has no [DialSpec.Problems]. It does no I/O.
func NewDialer(s DialSpec) *Dialer {
	local := netip.AddrPortFrom(s.LocalAddr, s.LocalPort)
	d := &Dialer{spec: s, dialer: sockaddr.Dialer{Transport: sockaddr.TCP, Local: local, Net: s.Options.Dialer()}}
	dialer := &d.dialer.Net
	dialer.Timeout = s.Timeout
	if s.LocalAddr.IsValid() && s.LocalPort == 0 {
		dialer.Control = late(dialer.Control)
	}
	if s.FlowLabel == 0 {
		dialer.LocalAddr = sockaddr.TCP.NetAddr(local)
		return d
	}
	// The hook binds and connects itself, so package net must not know of the local address.
	dialer.Control = d.labelled(dialer.Control)
	return d
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
		to := flowlabel.Address{AddrPort: remote, ZoneIndex: sockaddr.Index(remote.Addr())}
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
	span := trace.StartAttempt(ctx, d.spec.Layer, sockaddr.TCP.Network(remote.Addr()), sockaddr.TCP.NetAddr(remote))
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
	c, _, err := d.dialer.Dial(ctx, remote)
	if err != nil {
		return nil, err
	}
	tcp := c.(*net.TCPConn)
	if err := d.spec.Options.Connected(tcp); err != nil {
		_ = tcp.Close()
		return nil, d.dialer.OpError(remote, err)
	}
	return tcp, nil
}
