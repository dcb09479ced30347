package mcast

import (
	"net"
	"net/netip"
)

// kernelOf is a socket's kernel, by interface indexes alone: package golang.org/x/net looks at nothing else of an
// interface where the system takes an index.
type kernelOf struct{ options multicastOptions }

func (k kernelOf) join(index int, c Channel) error {
	i := &net.Interface{Index: index}
	if c.Source.IsValid() {
		return k.options.JoinSourceSpecificGroup(i, ip(c.Group), ip(c.Source))
	}
	return k.options.JoinGroup(i, ip(c.Group))
}

func (k kernelOf) leave(index int, c Channel) error {
	i := &net.Interface{Index: index}
	if c.Source.IsValid() {
		return k.options.LeaveSourceSpecificGroup(i, ip(c.Group), ip(c.Source))
	}
	return k.options.LeaveGroup(i, ip(c.Group))
}

func (k kernelOf) setOutgoing(index int) error {
	if index == 0 {
		return k.options.SetMulticastInterface(nil)
	}
	return k.options.SetMulticastInterface(&net.Interface{Index: index})
}

func ip(a netip.Addr) net.Addr { return &net.IPAddr{IP: a.AsSlice()} }
