// Package flowlabel sends an IPv6 flow label (RFC 6437) that the caller chooses with a TCP or UDP connection.
//
// Only Linux lets a program do that: it leases labels ([RFC 3542] has no interface for it) and takes the label of a
// connection from the address that is given to connect(2).
//
// [RFC 3542]: https://www.rfc-editor.org/rfc/rfc3542
package flowlabel

import (
	"fmt"
	"net/netip"
	"syscall"
)

// Max is the largest flow label, 20 bits (RFC 8200 section 3).
const Max = 1<<20 - 1

// An Address is an IPv6 address and port with the zone as an index, so that the kernel takes it as it is.
type Address struct {
	AddrPort  netip.AddrPort // its zone is not looked at
	ZoneIndex int            // index of the interface; 0 where the address needs none
}

// Connect leases label, which must be between 1 and [Max], for the IPv6 socket c, makes the socket send it, binds the
// socket to local unless that is the zero Address, and begins to connect it to remote.
//
// For TCP it belongs into the Control hook of a net.Dialer whose LocalAddr is nil: package net runs the hook before
// its own bind and connect, finds the socket connecting (EALREADY or EISCONN), waits for the end as always, and hands
// out a plain *net.TCPConn, whose packets all carry the label, the SYN too.
//
// For UDP, connecting a socket again takes the label away, so there it is called on the *net.UDPConn that package net
// has connected, with the zero local; remote may be the same peer.
//
// The lease is shared with whoever asks for it in the same way, and the kernel ends it some seconds after the last
// socket that holds it is gone. Errors of the kernel are an *os.SyscallError, as package net's own; for a label that
// can't be leased with the reason in front. Where the system has no flow labels the error is errors.ErrUnsupported.
func Connect(c syscall.RawConn, label uint32, local, remote Address) error {
	if label == 0 || label > Max {
		return fmt.Errorf("flow label %#x is not between 1 and %#x", label, uint32(Max))
	}
	var failed error
	err := c.Control(func(fd uintptr) { failed = connect(int(fd), label, local, remote) })
	if err != nil {
		return err
	}
	return failed
}
