package registrytest

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/epctl/endpoint/registry"
)

// inTime calls f, and reports false where it hangs.
func (s *suite) inTime(t *testing.T, r rule, what string, f func()) bool {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timeout := time.NewTimer(s.patience)
	defer timeout.Stop()
	select {
	case <-done:
		return true
	case <-timeout.C:
		r.fail(t, "%s has not returned after %v", what, s.patience)
		return false
	}
}

// contexts checks that a call whose context is cancelled returns, before it begins and while it waits for a peer.
func (s *suite) contexts(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, role := range s.plugin.Roles() {
		for _, sp := range s.of(role) {
			if safe, _ := onLoopback(sp.layer); safe || !isServer(role) || slices.Contains(s.live, sp.text) {
				s.cancelled(t, cancelled, sp)
			}
		}
	}
	s.silentPeer(t)
}

func isServer(role registry.Role) bool {
	return role == registry.RoleServer || role == registry.RolePacketServer
}

// cancelled uses a specimen under a context that is over. A client must fail; others may have had nothing to wait for.
func (s *suite) cancelled(t *testing.T, ctx context.Context, sp specimen) {
	t.Helper()
	var closer io.Closer
	var err error
	returned := s.inTime(t, ruleContext, string(sp.role)+" "+sp.text+" with a cancelled context", func() {
		closer, err = sp.use(ctx)
	})
	if !returned {
		return
	}
	isClient := sp.role == registry.RoleClient || sp.role == registry.RolePacketClient
	if err == nil && isClient {
		ruleContext.fail(t, "%q as a %s works with a context that is cancelled", sp.text, sp.role.Noun())
	}
	if closer != nil {
		_ = closer.Close()
	}
}

// use calls the one method of an endpoint. What it returns is nil where it fails, and for a resolver.
func (sp specimen) use(ctx context.Context) (c io.Closer, err error) {
	switch sp.role {
	case registry.RoleClient:
		c, err = sp.endpoint.(registry.Client).Dial(ctx)
	case registry.RoleServer:
		c, err = sp.endpoint.(registry.Server).Listen(ctx)
	case registry.RolePacketClient:
		c, err = sp.endpoint.(registry.PacketClient).DialPacket(ctx)
	case registry.RolePacketServer:
		c, err = sp.endpoint.(registry.PacketServer).ListenPacket(ctx)
	case registry.RoleResolver:
		_, err = sp.endpoint.(registry.Resolver).LookupNetIP(ctx, "ip", "localhost")
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// silentPeer dials a listener that never says anything, until the context is cancelled: a handshake must give up then.
func (s *suite) silentPeer(t *testing.T) {
	t.Helper()
	if s.plugin.Client == nil {
		return
	}
	for i, more := 0, true; more; i++ {
		more = s.dialSilent(t, i)
	}
}

// dialSilent tries the i-th client of the plugin, and reports whether there is one.
func (s *suite) dialSilent(t *testing.T, i int) bool {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	clients := s.clientsOf(ln.Addr())
	if i >= len(clients) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.patience/2)
	defer cancel()
	var silent sync.WaitGroup
	silent.Go(func() {
		if c, err := ln.Accept(); err == nil {
			time.AfterFunc(10*time.Millisecond, cancel) // the client has begun to wait by then
			<-ctx.Done()
			defer c.Close()
			_, _ = ln.Accept() // up to the end
		}
	})
	s.inTime(t, ruleContext, "client "+clients[i].text+" whose context is cancelled while its peer is silent", func() {
		if c, err := clients[i].use(ctx); err == nil {
			_ = c.Close()
		}
	})
	_ = ln.Close()
	silent.Wait()
	return true
}

// clientsOf returns clients that connect to a bare listener on the loopback interface: one made of what every client
// needs, and those that belong to servers.
func (s *suite) clientsOf(addr net.Addr) []specimen {
	texts := []string{s.derive(&registry.Layer{Plugin: s.plugin}, addr, registry.RoleClient)}
	for _, sp := range s.of(registry.RoleServer) {
		if safe, _ := onLoopback(sp.layer); safe && len(texts) <= s.servers {
			texts = append(texts, s.clientText(sp, addr, registry.RoleClient))
		}
	}
	slices.Sort(texts)
	var list []specimen
	for _, text := range slices.Compact(texts) {
		list = append(list, s.build(text, registry.RoleClient)...)
	}
	return list
}

// closes checks that Close ends what waits, and that a second one is harmless.
func (s *suite) closes(t *testing.T) {
	if s.plugin.Server != nil {
		for _, sp := range s.listenable(t, registry.RoleServer) {
			s.closeListener(t, sp)
		}
	}
	if s.plugin.PacketServer != nil {
		for _, sp := range s.listenable(t, registry.RolePacketServer) {
			s.closeSocket(t, sp)
		}
	}
}

// listens is how often a server is listened on: it may be used any number of times.
const listens = 3

func (s *suite) closeListener(t *testing.T, sp specimen) {
	t.Helper()
	for range listens {
		ln, ok := s.listen(t, sp)
		if !ok || t.Failed() {
			return
		}
		if ln.Addr() == nil {
			ruleSockets.fail(t, "the listener of %q has no address", sp.text)
		}
		s.closeWhile(t, sp, "Accept", ln, func() error {
			conn, err := ln.Accept()
			if err == nil {
				_ = conn.Close()
			}
			return err
		})
	}
}

func (s *suite) closeSocket(t *testing.T, sp specimen) {
	t.Helper()
	for range listens {
		socket, ok := s.listenPacket(t, sp)
		if !ok || t.Failed() {
			return
		}
		s.closeWhile(t, sp, "ReadFrom", socket, func() error {
			_, _, err := socket.ReadFrom(make([]byte, 1))
			return err
		})
	}
}

// closeWhile closes what a call waits on, which may have something to do before.
func (s *suite) closeWhile(t *testing.T, sp specimen, call string, c io.Closer, wait func() error) {
	t.Helper()
	result := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		close(started)
		err := wait()
		for err == nil {
			err = wait()
		}
		result <- err
	}()
	<-started
	closed := s.inTime(t, ruleSockets, "Close of "+sp.text, func() {
		if err := c.Close(); err != nil {
			ruleSockets.fail(t, "Close of %q fails: %v", sp.text, err)
		}
	})
	closed = closed && s.inTime(t, ruleSockets, call+" of "+sp.text+" after Close", func() {
		if err := <-result; !errors.Is(err, net.ErrClosed) {
			ruleSockets.fail(t, "%s of %q ends with %v at Close, not with net.ErrClosed", call, sp.text, err)
		}
	})
	if !closed {
		return
	}
	s.inTime(t, ruleSockets, "the second Close of "+sp.text, func() {
		defer func() {
			if p := recover(); p != nil {
				ruleSockets.fail(t, "the second Close of %q panics: %v", sp.text, p)
			}
		}()
		_ = c.Close() // may fail
	})
}

// listen listens on a specimen; the context is over when it returns, which must not matter to the listener.
func (s *suite) listen(t *testing.T, sp specimen) (net.Listener, bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	ln, err := sp.endpoint.(registry.Server).Listen(ctx)
	if err != nil {
		ruleReuse.fail(t, "Listen of %q fails: %v", sp.text, err)
	}
	return ln, err == nil
}

func (s *suite) listenPacket(t *testing.T, sp specimen) (net.PacketConn, bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	socket, err := sp.endpoint.(registry.PacketServer).ListenPacket(ctx)
	if err != nil {
		ruleReuse.fail(t, "ListenPacket of %q fails: %v", sp.text, err)
	}
	return socket, err == nil
}
