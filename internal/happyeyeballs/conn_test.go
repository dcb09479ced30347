package happyeyeballs

import (
	"net"
	"net/netip"
	"sync"
)

// fakeConn is a connection that can be closed; nothing else of it is used.
type fakeConn struct {
	net.Conn
	to     netip.AddrPort
	once   sync.Once
	closed chan struct{}
}

func (c *fakeConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (c *fakeConn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

func (c *fakeConn) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (c *fakeConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.to) }

// upgraded is what the fake handshake returns.
type upgraded struct{ *fakeConn }
