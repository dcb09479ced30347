package mcast

import (
	"errors"
	"fmt"
	"syscall"
)

// limit names the sysctl that stands behind an error of a join, ip-sysctl.rst in the kernel's documentation; more says
// that the group is joined there for another source.
func limit(c Channel, more bool, err error) error {
	if sysctl := limitOf(c, more, err); sysctl != "" {
		return fmt.Errorf("the limit is the sysctl %s: %w", sysctl, err)
	}
	if c.Group.Is6() && errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("%w: %w", errNoIPv6, err)
	}
	return err
}

// errNoIPv6: the kernel has taken IPv6 off the interface, or never put it there, because its MTU is below 1280 (RFC 8200
// section 5). When it puts it there, package netif tells so.
var errNoIPv6 = errors.New("the interface does no IPv6")

// limitOf: the kernel charges IPv6 memberships to the socket's memory for options, and counts all else.
func limitOf(c Channel, more bool, err error) string {
	four, full := c.Group.Is4(), errors.Is(err, syscall.ENOBUFS)
	switch {
	case four && full && more:
		return "net.ipv4.igmp_max_msf (sources of a group)"
	case four && full:
		return "net.ipv4.igmp_max_memberships (groups of a socket)"
	case !four && full && more:
		return "net.ipv6.mld_max_msf (sources of a group)"
	case !four && errors.Is(err, syscall.ENOMEM):
		return "net.core.optmem_max (memory of a socket for memberships and options)"
	}
	return ""
}
