package alliface

import (
	"net"

	"github.com/epctl/endpoint/internal/alliface"
)

// A Listener is a [net.Listener] over the sockets of many addresses. It has no file and no raw connection, because it
// is more than one.
type Listener struct{ all *alliface.Listener }

var _ net.Listener = (*Listener)(nil)

// Accept returns the next connection, a *net.TCPConn, of whichever address it comes in on; its LocalAddr tells which.
// Addresses take turns where connections wait on several of them. The only error is net.ErrClosed, after Close: what
// a listener can come back from, as from a process without descriptors, is waited for and told to package trace.
func (l *Listener) Accept() (net.Conn, error) { return l.all.Accept() }

// Close closes all sockets and the connections that nobody has accepted. It always returns nil, and may be called again.
func (l *Listener) Close() error { return l.all.Close() }

// Addr returns the port with the address that stands for all: :: where there is IPv6, else 0.0.0.0. It stays the same
// as long as the listener lives; what is really listened on is in Addrs.
func (l *Listener) Addr() net.Addr { return l.all.Addr() }

// Addrs returns the addresses, each a *net.TCPAddr, that are listened on at the moment, in the order of interfaces.
// Link-local ones have the name of the interface as their zone. With mode=wildcard they are 0.0.0.0 and ::.
func (l *Listener) Addrs() []net.Addr { return l.all.Addrs() }

// Changes returns a channel that receives a value after Addrs changed. Changes that nobody has received become one. The
// channel is for one receiver, and it is closed when the listener is. What has changed, and why, is told to the tracer
// of the context that Listen was given (package trace).
func (l *Listener) Changes() <-chan struct{} { return l.all.Changes() }
