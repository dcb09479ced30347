package happyeyeballs

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Limits and defaults. RFC 8305 section 8 and the draft's summary of configurable values rule the delays; the numbers of
// addresses and attempts are ours, so that an answer with hundreds of addresses does no harm.
const (
	DefaultResolutionDelay = 50 * time.Millisecond
	DefaultAttemptDelay    = 250 * time.Millisecond
	MinAttemptDelay        = 10 * time.Millisecond
	MaxAttemptDelay        = 2 * time.Second
	MaxAddresses           = 64 // attempts of one dial, and addresses that are looked at of each family
	MaxInFlight            = 8  // attempts under way at once
)

// A Resolver looks names up, as [net.Resolver] does. The network is "ip6" or "ip4". It must return when ctx ends.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// A DialFunc connects to one address. It must return when ctx ends; ctx bounds the call only, not the connection. It is
// the caller's part to bind the socket to the local address of Config.Local that has addr's family. A host's only address
// is dialed in the goroutine of the caller of Dial, where nothing but ctx ends the wait.
type DialFunc func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)

// Config says how an [Engine] dials. The zero value is a sensible one.
type Config struct {
	Layer   string // name of the endpoint in the trace; "hostname" where empty
	Network string // "tcp", or "udp" for connections that tell nothing of the peer; "tcp" where empty

	Resolver Resolver   // nil: net.DefaultResolver
	Dial     DialFunc   // nil: a net.Dialer for Network that binds to Local
	Source   SourceFunc // nil: ConnectedSource(Local, nil)

	Family Family
	// Local are the addresses to bind to, at most one of each family. Where there are any, a family without one is left
	// out, and the trace says so.
	Local []netip.Addr
	// Deny reports, by an error, that an address must not be connected to: see [DenyAny]. It is asked about the very
	// address that is then dialed, whether it came as a literal or from a resolver. nil: all may be.
	Deny func(netip.Addr) error

	Timeout          time.Duration // of the whole dial, look-ups and handshakes included; 0: only the context's
	ResolutionDelay  time.Duration // wait for the preferred family's answer, for udp for either's; 0: 50 ms; negative: none
	AttemptDelay     time.Duration // between the starts of two attempts unless the first has failed, from 10 ms to 2 s; 0: 250 ms
	FirstFamilyCount int           // attempts in the first family before the other has its turn; 0: 1

	NoMemory bool // forget outcomes: every dial orders by RFC 6724 alone
	// TerminalEnds ends the whole dial when an upgrade fails with a terminal error (see [Terminal]), instead of that
	// one address.
	TerminalEnds bool
}

func (c Config) withDefaults() Config {
	setDefault(&c.Layer, "hostname")
	setDefault(&c.Network, "tcp")
	setDefault(&c.ResolutionDelay, DefaultResolutionDelay)
	setDefault(&c.AttemptDelay, DefaultAttemptDelay)
	setDefault(&c.FirstFamilyCount, 1)
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	if c.Dial == nil {
		c.Dial = dialer(c.Network, c.Local)
	}
	if c.Source == nil {
		c.Source = ConnectedSource(c.Local, nil)
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// A ConfigError names the field of a [Config] that is wrong.
type ConfigError struct{ Field, Reason string }

func (e *ConfigError) Error() string { return "happyeyeballs: Config." + e.Field + ": " + e.Reason }

func bad(field, format string, args ...any) error {
	return &ConfigError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

func (c Config) check() error {
	switch {
	case c.Network != "tcp" && c.Network != "udp":
		return bad("Network", "%q is neither tcp nor udp", c.Network)
	case c.Family > PreferIPv6:
		return bad("Family", "%d is none", c.Family)
	case c.AttemptDelay < MinAttemptDelay || c.AttemptDelay > MaxAttemptDelay:
		return bad("AttemptDelay", "%v is not between %v and %v", c.AttemptDelay, MinAttemptDelay, MaxAttemptDelay)
	case c.FirstFamilyCount < 1:
		return bad("FirstFamilyCount", "%d is less than 1", c.FirstFamilyCount)
	case c.Timeout < 0:
		return bad("Timeout", "%v is negative", c.Timeout)
	}
	return checkLocal(c.Local)
}

func checkLocal(local []netip.Addr) error {
	seen := map[string]netip.Addr{}
	for _, a := range local {
		if !a.IsValid() {
			return bad("Local", "an address is missing")
		}
		f := familyOf(a)
		if other, twice := seen[f]; twice {
			return bad("Local", "%v and %v are both %s", other, a, f)
		}
		seen[f] = a
	}
	return nil
}

// families tells which families may be used and, where one is left out, why.
func (c Config) families() (ipv4, ipv6 bool, note string) {
	ipv4, ipv6 = c.Family != IPv6Only, c.Family != IPv4Only
	if len(c.Local) == 0 {
		return ipv4, ipv6, ""
	}
	has4, has6 := localFor(c.Local, netip.IPv4Unspecified()).IsValid(), localFor(c.Local, netip.IPv6Unspecified()).IsValid()
	if lost := ipv4 && !has4; lost {
		note = fmt.Sprintf("IPv4 addresses are left out: the local address %v is IPv6", c.Local[0])
	}
	if lost := ipv6 && !has6; lost {
		note = fmt.Sprintf("IPv6 addresses are left out: the local address %v is IPv4", c.Local[0])
	}
	return ipv4 && has4, ipv6 && has6, note
}

// localFor returns the address of local that has remote's family, the zero Addr where there is none.
func localFor(local []netip.Addr, remote netip.Addr) netip.Addr {
	for _, a := range local {
		if a.Unmap().Is4() == remote.Is4() {
			return a.Unmap()
		}
	}
	return netip.Addr{}
}

func dialer(network string, local []netip.Addr) DialFunc {
	return func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
		var d net.Dialer
		if from := localFor(local, addr.Addr()); from.IsValid() {
			d.LocalAddr = netAddr(network, netip.AddrPortFrom(from, 0))
		}
		return d.DialContext(ctx, network, addr.String())
	}
}

// netAddr is addr as package net has it.
func netAddr(network string, addr netip.AddrPort) net.Addr {
	if network == "udp" {
		return net.UDPAddrFromAddrPort(addr)
	}
	return net.TCPAddrFromAddrPort(addr)
}
