//go:build !linux

package happyeyeballs

import "net/netip"

// quickSource leaves it to package net.
func quickSource(_, _ netip.Addr) (netip.Addr, bool) { return netip.Addr{}, false }
