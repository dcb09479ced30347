package registrytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/epctl/endpoint/registry"
)

// packets checks the sockets of the plugin's datagram roles.
func (s *suite) packets(t *testing.T) {
	if s.plugin.PacketServer == nil {
		t.Skipf("%s has no datagram server", s.plugin.Name)
	}
	for _, sp := range s.listenable(t, registry.RolePacketServer) {
		t.Run(sp.text, func(t *testing.T) { s.packet(t, sp) })
	}
}

func (s *suite) packet(t *testing.T, sp specimen) {
	server, ok := s.listenPacket(t, sp)
	if !ok {
		return
	}
	defer server.Close()
	s.checkDeadlines(t, "the server", server, func(b []byte) error {
		_, _, err := server.ReadFrom(b)
		return err
	}, func(b []byte) error {
		_, err := server.WriteTo(b, server.LocalAddr())
		return err
	})
	if s.plugin.PacketClient == nil {
		return
	}
	client, text := s.client(t, sp, server.LocalAddr(), registry.RolePacketClient)
	if client == nil {
		return
	}
	conn, err := s.dialPacket(client.(registry.PacketClient))
	if err != nil {
		ruleReuse.fail(t, "DialPacket of %q fails: %v", text, err)
		return
	}
	defer conn.Close()
	s.checkDeadlines(t, "the client", conn, readOf(conn), writeOf(conn))
	// The server's check may have left datagrams to itself; a client of its own never sees those.
	if err := s.converse(conn, server); err != nil {
		ruleSockets.fail(t, "%q and %q: %v", text, sp.text, err)
	}
	_ = conn.SetDeadline(time.Time{})
	s.closeWhile(t, specimen{text: text}, "Read", conn, func() error { return readOf(conn)(make([]byte, 1)) })
}

func (s *suite) dialPacket(c registry.PacketClient) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	return c.DialPacket(ctx)
}

func readOf(c net.Conn) func([]byte) error {
	return func(b []byte) error { _, err := c.Read(b); return err }
}

func writeOf(c net.Conn) func([]byte) error {
	return func(b []byte) error { _, err := c.Write(b); return err }
}

type deadlines interface {
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// checkDeadlines checks that a deadline ends calls that begin after it, and those that wait for it.
func (s *suite) checkDeadlines(t *testing.T, side string, c deadlines, read, write func([]byte) error) {
	t.Helper()
	past := time.Unix(1, 0)
	timesOut := func(what string, set func(time.Time) error, call func([]byte) error) {
		t.Helper()
		if err := set(past); err != nil {
			ruleSockets.fail(t, "%s: %s: %v", side, what, err)
			return
		}
		var err error
		if !s.inTime(t, ruleSockets, side+"'s call after "+what, func() { err = call([]byte{0}) }) {
			return
		}
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			ruleSockets.fail(t, "%s: after %s in the past, a call gives %v, not os.ErrDeadlineExceeded", side, what, err)
		}
		_ = set(time.Time{})
	}
	timesOut("SetReadDeadline", c.SetReadDeadline, read)
	timesOut("SetWriteDeadline", c.SetWriteDeadline, write)
	timesOut("SetDeadline", c.SetDeadline, read)
	s.interrupts(t, side, c, read)
}

// interrupts checks that a deadline ends a call that waits already.
func (s *suite) interrupts(t *testing.T, side string, c deadlines, read func([]byte) error) {
	t.Helper()
	result := make(chan error, 1)
	go func() { result <- read([]byte{0}) }()
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	s.inTime(t, ruleSockets, side+"'s call that SetReadDeadline ends", func() {
		if err := <-result; !errors.Is(err, os.ErrDeadlineExceeded) {
			ruleSockets.fail(t, "%s: SetReadDeadline ends a call with %v, not os.ErrDeadlineExceeded", side, err)
		}
	})
	_ = c.SetReadDeadline(time.Time{})
}

// converse sends two datagrams each way. Datagrams may be lost, so each is sent until it is answered.
func (s *suite) converse(client net.Conn, server net.PacketConn) error {
	stop := time.Now().Add(s.patience)
	_ = server.SetReadDeadline(stop)
	go answer(server)
	defer func() { _ = server.SetReadDeadline(time.Unix(1, 0)) }()
	for i := range 2 {
		if err := s.ask(client, fmt.Sprintf("datagram %d", i), stop); err != nil {
			return err
		}
	}
	return nil
}

// answer sends back what comes, up to the deadline.
func answer(server net.PacketConn) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := server.ReadFrom(buf)
		if err != nil {
			return
		}
		_, _ = server.WriteTo(buf[:n], from)
	}
}

func (s *suite) ask(client net.Conn, question string, stop time.Time) error {
	buf := make([]byte, 1<<16)
	for time.Now().Before(stop) {
		if _, err := client.Write([]byte(question)); err != nil {
			return err
		}
		_ = client.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, err := client.Read(buf)
		switch {
		case err == nil && string(buf[:n]) == question:
			return nil
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		}
	}
	return fmt.Errorf("%q is not answered within %v", question, s.patience)
}
