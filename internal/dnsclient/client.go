// Package dnsclient asks DNS servers for the addresses of names: a stub resolver over UDP, TCP, TLS and HTTPS with a
// cache. Whatever comes from the network is checked against what was asked, and bounded.
package dnsclient

import (
	"context"
	"net/netip"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/lookup"
	"github.com/epctl/endpoint/trace"
)

// LookupNetIP returns the addresses of host; network is "ip", "ip4" or "ip6". The name is asked for as it is, in ASCII,
// with no search list. Names that by their RFCs are not for the DNS, such as localhost and those under .local, are not asked for.
//
// The error is a [net.DNSError]: IsNotFound where there is no such name or no such address, IsTemporary where a server
// says that it could not find out, IsTimeout where no answer came. errors.Is finds the context's error if that ended the
// look-up, and never otherwise.
func (c *Client) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	families, err := lookup.FamiliesOf(network)
	if err != nil {
		return nil, err
	}
	if err := lookup.Ended(ctx, host); err != nil {
		return nil, err
	}
	name, ok := lookup.Canonical(host)
	if !ok {
		return nil, lookup.NoSuchHost(host)
	}
	if addrs, ok, err := c.special(families, name, host); ok {
		return addrs, err
	}
	span := trace.StartResolve(ctx, "dns", network, host)
	addrs, err := c.lookUp(ctx, families, name, host)
	span.EndResolve(addrs, err)
	return addrs, err
}

func (c *Client) lookUp(ctx context.Context, families lookup.Families, name, host string) ([]netip.Addr, error) {
	aaaa, a := question{dns.Fqdn(name), dns.TypeAAAA}, question{dns.Fqdn(name), dns.TypeA}
	switch {
	case !families.IPv4:
		return c.await(ctx, c.join(ctx, aaaa), host)
	case !families.IPv6:
		return c.await(ctx, c.join(ctx, a), host)
	}
	six, four := c.join(ctx, aaaa), c.join(ctx, a)
	addrs6, err6 := c.await(ctx, six, host)
	addrs4, err4 := c.await(ctx, four, host)
	return merge(addrs6, addrs4, err6, err4)
}

// merge makes one answer of two. One family is enough; of two errors, that of a look-up that failed says more than that
// there is nothing.
func merge(addrs6, addrs4 []netip.Addr, err6, err4 error) ([]netip.Addr, error) {
	switch {
	case err6 == nil && err4 == nil:
		return append(addrs6, addrs4...), nil
	case err4 == nil:
		return addrs4, nil
	case err6 == nil:
		return addrs6, nil
	case lookup.IsNotFound(err6):
		return nil, err4
	}
	return nil, err6
}
