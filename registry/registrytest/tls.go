package registrytest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/epctl/endpoint/registry"
)

// closeNotify is how long Close of a TLS connection may wait for a peer that does not read to take the alert.
const closeNotify = 5 * time.Second

// encrypted checks what only TLS connections have, and reports whether they are sound enough for all else. Of other
// connections it checks nothing.
func (s *suite) encrypted(t *testing.T, mp nettest.MakePipe) bool {
	c1, c2, stop, err := mp()
	if err != nil {
		ruleSockets.fail(t, "there is no connection: %v", err)
		return false
	}
	_, client := c1.(tlsConn)
	_, server := c2.(tlsConn)
	sound := s.closing().inTime(t, ruleSockets, "Close of a connection", stop)
	if !sound {
		return false
	}
	if client {
		sound = t.Run("client's TLS", func(t *testing.T) { s.writeDeadline(t, mp) })
	}
	if server {
		sound = t.Run("server's TLS", func(t *testing.T) { s.writeDeadline(t, turned(mp)) }) && sound
	}
	return sound
}

// closing returns s with the patience that Close of a TLS connection needs, whose peer may not read.
func (s *suite) closing() *suite {
	patient := *s
	patient.patience += closeNotify
	return &patient
}

// turned makes the first connection of mp the second.
func turned(mp nettest.MakePipe) nettest.MakePipe {
	return func() (net.Conn, net.Conn, func(), error) {
		c1, c2, stop, err := mp()
		return c2, c1, stop, err
	}
}

// unfinished says that a connection was handed out before the end of its handshake.
func unfinished(side string, c net.Conn) error {
	if c, ok := c.(tlsConn); ok && !c.ConnectionState().HandshakeComplete {
		return fmt.Errorf("the %s's connection, a %T, is handed out before its handshake is complete", side, c)
	}
	return nil
}

// writeDeadline checks a TLS connection up to its end by a write deadline, which nettest sees nothing of: the Write
// returns, later ones do not hang, Read goes on, and so does Close.
func (s *suite) writeDeadline(t *testing.T, mp nettest.MakePipe) {
	c, peer, stop, err := mp()
	if err != nil {
		ruleSockets.fail(t, "there is no connection: %v", err)
		return
	}
	_ = peer.SetDeadline(time.Now().Add(s.patience / 2)) // so that what waits for the peer does not count as a hang
	_ = c.SetWriteDeadline(time.Unix(1, 0))
	sound := s.inTime(t, ruleSockets, "Write after SetWriteDeadline in the past", func() {
		_, err := c.Write([]byte("late"))
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			ruleSockets.fail(t, "after SetWriteDeadline in the past, a Write gives %v, not os.ErrDeadlineExceeded", err)
		}
	})
	_ = c.SetWriteDeadline(time.Time{})
	sound = sound && s.inTime(t, ruleSockets, "a Write after one that timed out", func() { s.laterWrite(t, c, peer) })
	sound = sound && s.inTime(t, ruleSockets, "a Read after a Write that timed out", func() { s.laterRead(t, c, peer) })
	if sound && s.closing().inTime(t, ruleSockets, "Close after a Write that timed out", func() { _ = c.Close() }) {
		stop()
	}
}

// laterWrite checks that a Write fails or sends what it says.
func (s *suite) laterWrite(t *testing.T, c, peer net.Conn) {
	text := []byte("later")
	if _, err := c.Write(text); err != nil {
		return
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(peer, got); err != nil || string(got) != string(text) {
		ruleSockets.fail(t, "after a Write that timed out, another one succeeds, and the peer reads %q, %v", got, err)
	}
}

func (s *suite) laterRead(t *testing.T, c, peer net.Conn) {
	text := []byte("still here")
	if _, err := peer.Write(text); err != nil {
		ruleSockets.fail(t, "after a Write that timed out, the peer's Write fails: %v", err)
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(s.patience / 2))
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != string(text) {
		ruleSockets.fail(t, "after a Write that timed out, a Read gives %q, %v, and the peer has sent %q", got, err, text)
	}
}

// silentPeers is how many clients connect and say nothing: fewer than any server lets shake hands at once.
const silentPeers = 3

// besideSilence checks that clients which say nothing do not keep others waiting where there is a handshake: Accept hands
// out nothing but connections that are ready.
func (s *suite) besideSilence(t *testing.T, sp specimen) {
	_, server, stop, err := s.pair(t, sp)()
	if err != nil {
		return // conn has told so
	}
	_, isTLS := server.(tlsConn)
	if stop(); !isTLS {
		return // Accept may hand out who says nothing
	}
	ln, ok := s.listen(t, sp)
	if !ok {
		return
	}
	defer ln.Close()
	for range silentPeers {
		c, err := s.connect(ln.Addr())
		if err != nil {
			t.Skipf("only clients of the plugin can connect: %v", err)
		}
		defer c.Close()
	}
	client, _ := s.client(t, sp, ln.Addr(), registry.RoleClient)
	if client == nil {
		return
	}
	_, _, stop, err = s.join(ln, client.(registry.Client))
	if err != nil {
		ruleSockets.fail(t, "beside %d clients that say nothing, another one is not served: %v", silentPeers, err)
		return
	}
	stop()
}

// connect makes a bare connection to a server that is bound to addr.
func (s *suite) connect(addr net.Addr) (net.Conn, error) {
	address := addr.String()
	if at, err := netip.ParseAddrPort(address); err == nil {
		address = netip.AddrPortFrom(reachable(at.Addr()), at.Port()).String()
	}
	return net.DialTimeout(addr.Network(), address, s.patience)
}
