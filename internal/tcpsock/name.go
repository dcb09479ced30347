package tcpsock

import (
	"context"
	"net"
	"net/http/httptrace"
	"net/netip"
	"strconv"
	"sync"

	"github.com/epctl/endpoint/trace"
)

// DialName looks host up and connects to port at one of its addresses, over both families with package net's own Happy
// Eyeballs, or over the one family that the spec's local address or flow label leaves. The context and the spec's
// timeout bound look-up and attempts together. Errors are as from [Dialer.Dial]; a failed look-up is a *net.DNSError
// in the *net.OpError.
func (d *Dialer) DialName(ctx context.Context, host string, port uint16) (*net.TCPConn, error) {
	network := d.spec.narrow("tcp")
	dialer, err := d.ready()
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Source: d.source(), Err: err}
	}
	if trace.From(ctx) != nil {
		teller := &nameTeller{ctx: ctx, layer: d.spec.Layer, network: network, attempts: map[string]trace.Span{}}
		ctx = teller.context()
	}
	c, err := dialer.DialContext(ctx, network, net.JoinHostPort(host, strconv.Itoa(int(port))))
	if err != nil {
		return nil, err
	}
	named(c.LocalAddr(), d.spec.LocalAddr.Zone())
	remote, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	return d.connected(c.(*net.TCPConn), remote)
}

// A nameTeller turns what package net tells about a dial to a name into events of package trace.
type nameTeller struct {
	ctx            context.Context
	layer, network string

	mu       sync.Mutex
	resolve  trace.Span
	attempts map[string]trace.Span // by remote address
}

func (n *nameTeller) context() context.Context {
	return httptrace.WithClientTrace(n.ctx, &httptrace.ClientTrace{
		DNSStart:     n.dnsStart,
		DNSDone:      n.dnsDone,
		ConnectStart: n.connectStart,
		ConnectDone:  n.connectDone,
	})
}

func (n *nameTeller) dnsStart(info httptrace.DNSStartInfo) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.resolve = trace.StartResolve(n.ctx, n.layer, "ip"+n.network[len("tcp"):], info.Host)
}

func (n *nameTeller) dnsDone(info httptrace.DNSDoneInfo) {
	n.mu.Lock()
	span := n.resolve
	n.mu.Unlock()
	var addrs []netip.Addr
	for _, a := range info.Addrs {
		if addr, ok := netip.AddrFromSlice(a.IP); ok {
			addrs = append(addrs, addr.Unmap().WithZone(a.Zone))
		}
	}
	span.EndResolve(addrs, info.Err)
}

func (n *nameTeller) connectStart(_, address string) {
	remote, err := netip.ParseAddrPort(address)
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.attempts[address] = trace.StartAttempt(n.ctx, n.layer, networkOf(remote.Addr()), netAddr(remote))
}

// connectDone knows no local address, nor does package net's hook.
func (n *nameTeller) connectDone(_, address string, err error) {
	n.mu.Lock()
	span := n.attempts[address]
	n.mu.Unlock()
	span.End(nil, err)
}
