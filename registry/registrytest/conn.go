package registrytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/epctl/endpoint/registry"
)

// fewServers is how many servers are tried thoroughly with their clients, where Servers says nothing else; each takes
// nettest about a second.
const fewServers = 2

// conns checks the connections between a client and a server of the plugin, from either side.
func (s *suite) conns(t *testing.T) {
	switch {
	case s.pipe != nil:
		s.conn(t, s.pipe, true)
	case s.plugin.Client != nil && s.plugin.Server != nil:
		for i, sp := range s.listenable(t, registry.RoleServer) {
			t.Run(sp.text, func(t *testing.T) {
				if s.paired(t, sp) && s.conn(t, s.pair(t, sp), i < s.servers) {
					s.besideSilence(t, sp)
				}
			})
		}
	case s.plugin.Client != nil:
		s.againstPlainTCP(t)
	default:
		t.Skipf("%s has no stream client", s.plugin.Name)
	}
}

// againstPlainTCP tries a client without a server against a listener of package net, if host and port are all that it
// needs.
func (s *suite) againstPlainTCP(t *testing.T) {
	nowhere := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	if text := s.derive(&registry.Layer{Plugin: s.plugin}, nowhere, registry.RoleClient); text == "" {
		ruleSockets.fail(t, "%s has no server to try its clients with: use Pipe", s.plugin.Name)
		return
	}
	s.conn(t, func() (net.Conn, net.Conn, func(), error) {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, nil, nil, err
		}
		text := s.derive(&registry.Layer{Plugin: s.plugin}, ln.Addr(), registry.RoleClient)
		client, _, err := s.registry.Build(text, registry.RoleClient)
		if err != nil {
			return nil, nil, nil, errors.Join(err, ln.Close())
		}
		return s.join(ln, client.(registry.Client))
	}, true)
}

// paired reports whether the client of a server can be derived.
func (s *suite) paired(t *testing.T, sp specimen) bool {
	ln, ok := s.listen(t, sp)
	if !ok {
		return false
	}
	defer ln.Close()
	client, _ := s.client(t, sp, ln.Addr(), registry.RoleClient)
	return client != nil
}

// pair makes a connection between a client and a server of the plugin, by a listener of its own.
func (s *suite) pair(t *testing.T, sp specimen) nettest.MakePipe {
	return func() (net.Conn, net.Conn, func(), error) {
		ln, ok := s.listen(t, sp)
		if !ok {
			return nil, nil, nil, errors.New("no listener")
		}
		client, _ := s.client(t, sp, ln.Addr(), registry.RoleClient)
		if client == nil {
			return nil, nil, nil, errors.Join(errors.New("no client"), ln.Close())
		}
		return s.join(ln, client.(registry.Client))
	}
}

// join dials and accepts, both at once, since either may wait for the other. The dial's context is over when it returns,
// which must not matter to the connection.
func (s *suite) join(ln net.Listener, client registry.Client) (c1, c2 net.Conn, stop func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	type accepted struct {
		conn net.Conn
		err  error
	}
	accepts := make(chan accepted, 1)
	go func() {
		conn, err := ln.Accept()
		accepts <- accepted{conn, err}
	}()
	c1, err = client.Dial(ctx)
	// A server that has not accepted by now, or never will as there is no client, has Accept ended by Close.
	giveUp := time.AfterFunc(s.patience, func() { _ = ln.Close() })
	defer giveUp.Stop()
	if err != nil {
		_ = ln.Close()
	}
	a := <-accepts
	stop = func() {
		for _, c := range []net.Conn{c1, a.conn} {
			if c != nil {
				_ = c.Close()
			}
		}
		_ = ln.Close()
	}
	if c1 != nil {
		err = errors.Join(err, unfinished("client", c1))
	}
	if a.conn != nil {
		a.err = errors.Join(a.err, unfinished("server", a.conn))
	}
	if err := errors.Join(err, a.err); err != nil {
		stop()
		return nil, nil, nil, err
	}
	return c1, a.conn, stop, nil
}

// TestConn checks the connections that mp makes as [Run] checks those of a plugin, from either side: by nettest.TestConn,
// and what that leaves out. Of TLS connections, which are of no use for a Write after one that timed out, nettest sees
// write deadlines that are kept above TLS; what it does not see then is checked beside it.
func TestConn(t *testing.T, mp nettest.MakePipe) {
	newSuite().conn(t, mp, true)
}

// conn runs the checks of a connection, with nettest or without, and reports whether it is sound.
func (s *suite) conn(t *testing.T, mp nettest.MakePipe, thorough bool) bool {
	if !s.encrypted(t, mp) {
		return false // nettest may hang
	}
	if thorough {
		t.Run("client", func(t *testing.T) { nettest.TestConn(t, aboveTLS(mp)) })
		t.Run("server", func(t *testing.T) { nettest.TestConn(t, aboveTLS(turned(mp))) })
	}
	t.Run("half-close", func(t *testing.T) { s.halfClose(t, mp) })
	t.Run("concurrent", func(t *testing.T) { s.concurrent(t, mp) })
	return !t.Failed()
}

// A halfCloser can end one direction of a stream.
type halfCloser interface{ CloseWrite() error }

// halfClose checks that a connection that wraps one which can be half-closed can be too, and that the other direction
// stays open.
func (s *suite) halfClose(t *testing.T, mp nettest.MakePipe) {
	c1, c2, stop, err := mp()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	checkWrapper(t, "client", c1)
	checkWrapper(t, "server", c2)
	half, ok := c1.(halfCloser)
	if !ok {
		return
	}
	for _, c := range []net.Conn{c1, c2} {
		_ = c.SetDeadline(time.Now().Add(s.patience))
	}
	var sent sync.WaitGroup
	sent.Go(func() {
		_, err := c1.Write([]byte("request"))
		if err := errors.Join(err, half.CloseWrite()); err != nil {
			ruleSockets.fail(t, "the client's Write and CloseWrite: %v", err)
		}
	})
	request, err := io.ReadAll(c2)
	sent.Wait()
	if err != nil || string(request) != "request" {
		ruleSockets.fail(t, "the server reads %q, %v up to the end that CloseWrite makes", request, err)
		return
	}
	sent.Go(func() { _, _ = c2.Write([]byte("answer")); _ = c2.Close() })
	answer, err := io.ReadAll(c1)
	sent.Wait()
	if err != nil || string(answer) != "answer" {
		ruleSockets.fail(t, "after CloseWrite, the client reads %q, %v", answer, err)
	}
}

// checkWrapper checks that what wraps a connection forwards its half-close.
func checkWrapper(t *testing.T, side string, c net.Conn) {
	t.Helper()
	wrapper, ok := c.(interface{ NetConn() net.Conn })
	if !ok {
		return
	}
	inner := wrapper.NetConn()
	if inner == nil {
		ruleSockets.fail(t, "the %s's connection, a %T, wraps nothing: NetConn returns nil", side, c)
		return
	}
	_, canHalf := inner.(halfCloser)
	if _, can := c.(halfCloser); canHalf && !can {
		ruleSockets.fail(t, "the %s's connection, a %T, has no CloseWrite, and the %T in it has", side, c, inner)
	}
}

// concurrent makes several connections at once.
func (s *suite) concurrent(t *testing.T, mp nettest.MakePipe) {
	const dials = 8
	results := make(chan error, dials)
	for i := range dials {
		go func() { results <- s.exchange(mp, fmt.Sprintf("greeting %d", i)) }()
	}
	s.inTime(t, ruleReuse, "one of several dials at once", func() {
		for range dials {
			if err := <-results; err != nil {
				ruleReuse.fail(t, "of several dials at once, one fails: %v", err)
			}
		}
	})
}

func (s *suite) exchange(mp nettest.MakePipe, greeting string) error {
	c1, c2, stop, err := mp()
	if err != nil {
		return err
	}
	defer stop()
	for _, c := range []net.Conn{c1, c2} {
		_ = c.SetDeadline(time.Now().Add(s.patience))
	}
	go func() { _, _ = io.WriteString(c1, greeting) }()
	got := make([]byte, len(greeting))
	if _, err := io.ReadFull(c2, got); err != nil {
		return err
	}
	if string(got) != greeting {
		return fmt.Errorf("%q arrives as %q", greeting, got)
	}
	return nil
}
