package dnstest

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

func newReader(text string) io.Reader { return strings.NewReader(text + "\n") }

// Pipe returns a function that connects to a server in memory, for transport "udp" or "tcp". It is for tests in virtual
// time: nothing waits for the network.
func Pipe(t testing.TB, transport string, h Handler) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			if transport == "udp" {
				servePackets(t, server, h)
				return
			}
			serveStream(t, server, transport, h)
		}()
		return client, nil
	}
}

// servePackets serves a connected socket.
func servePackets(t testing.TB, conn net.Conn, h Handler) {
	buf := make([]byte, 1<<16)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		q, ok := parse(t, "udp", buf[:n])
		if !ok {
			continue
		}
		q.Remote = conn.RemoteAddr()
		q.send = func(message []byte) { _, _ = conn.Write(message) }
		go h(q)
	}
}

// serveSocket serves a socket that is not connected.
func serveSocket(t testing.TB, conn net.PacketConn, h Handler, handlers *sync.WaitGroup) {
	buf := make([]byte, 1<<16)
	for number := 0; ; number++ {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		q, ok := parse(t, "udp", buf[:n])
		if !ok {
			continue
		}
		q.Remote, q.Number = from, number
		q.send = func(message []byte) { _, _ = conn.WriteTo(message, from) }
		handlers.Go(func() { h(q) })
	}
}

// serveStream serves a connection, one query after the other.
func serveStream(t testing.TB, conn net.Conn, transport string, h Handler) {
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, message); err != nil {
			return
		}
		q, ok := parse(t, transport, message)
		if !ok {
			return
		}
		q.Remote = conn.RemoteAddr()
		if secure, ok := conn.(*tls.Conn); ok {
			q.Proto = secure.ConnectionState().NegotiatedProtocol
		}
		q.send = func(message []byte) {
			framed := binary.BigEndian.AppendUint16(nil, uint16(len(message)))
			_, _ = conn.Write(append(framed, message...))
		}
		q.raw = func(b []byte) { _, _ = conn.Write(b) }
		q.drop = func() { _ = conn.Close() }
		h(q)
	}
}

func parse(t testing.TB, transport string, message []byte) (*Query, bool) {
	q := &Query{
		Msg: new(dns.Msg), Transport: transport, Wire: append([]byte(nil), message...),
		t: t, drop: func() {}, raw: func([]byte) {},
	}
	if err := q.Unpack(message); err != nil || len(q.Question) != 1 {
		t.Errorf("the client sends %x, which is no query: %v", message, err)
		return nil, false
	}
	return q, true
}
