package handshakes_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/handshakes"
	"github.com/epctl/endpoint/internal/testenv"
)

// enough is more than any step of a live test takes, however slow the machine is.
const enough = time.Minute

func listenLive(t *testing.T, c handshakes.Config) net.Listener {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := handshakes.Listen(t.Context(), inner, c)
	t.Cleanup(func() { _ = ln.Close() })
	setDeadline(t, ln, time.Now().Add(enough))
	return ln
}

func dial(t *testing.T, ln net.Listener) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", ln.Addr().String(), enough)
	if err != nil {
		testenv.Need(t, !isTooMany(err), "enough file descriptors")
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(enough))
	return c
}

func isTooMany(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// tlsPair is the upgrade to a *tls.Conn, and its client side.
func tlsPair(t *testing.T) (upgrade, client upgrader) {
	authority := certtest.NewAuthority(t)
	server := &tls.Config{Certificates: []tls.Certificate{authority.NewCertificate(certtest.Spec{Names: []string{"good.example"}})}}
	good := &tls.Config{RootCAs: authority.Pool(), ServerName: "good.example"}
	return handshake(server, tls.Server), handshake(good, tls.Client)
}

type upgrader = func(context.Context, net.Conn) (net.Conn, error)

func handshake(config *tls.Config, side func(net.Conn, *tls.Config) *tls.Conn) upgrader {
	return func(ctx context.Context, conn net.Conn) (net.Conn, error) {
		c := side(conn, config)
		if err := c.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return c, nil
	}
}

// startTLSPair says a line before it does the same.
func startTLSPair(t *testing.T) (upgrade, client upgrader) {
	serverTLS, clientTLS := tlsPair(t)
	upgrade = func(ctx context.Context, c net.Conn) (net.Conn, error) {
		if err := talk(c, "220 ready\n", "STARTTLS\n"); err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return serverTLS(ctx, c)
	}
	client = func(ctx context.Context, c net.Conn) (net.Conn, error) {
		if err := talk(c, "STARTTLS\n", "220 ready\n"); err != nil {
			return nil, err
		}
		return clientTLS(ctx, c)
	}
	return upgrade, client
}

func talk(c net.Conn, say, hear string) error {
	if _, err := io.WriteString(c, say); err != nil {
		return err
	}
	got := make([]byte, len(hear))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != hear {
		return fmt.Errorf("heard %q, want %q: %w", got, hear, err)
	}
	return nil
}

// LI-03, ST-23
func TestOneIsServedWhileAThousandAreSilent(t *testing.T) {
	for name, pair := range map[string]func(*testing.T) (upgrade, client upgrader){"tls": tlsPair, "starttls": startTLSPair} {
		t.Run(name, func(t *testing.T) {
			upgrade, client := pair(t)
			var begun sync.WaitGroup
			var ended atomic.Int32
			ln := listenLive(t, handshakes.Config{Timeout: time.Hour, Upgrade: func(ctx context.Context, c net.Conn) (net.Conn, error) {
				begun.Done()
				defer ended.Add(1)
				return upgrade(ctx, c)
			}})
			begun.Add(1000)
			var silent []net.Conn
			for range 1000 {
				silent = append(silent, dial(t, ln))
			}
			begun.Wait()

			begun.Add(1)
			good := make(chan error, 1)
			conn := dial(t, ln)
			go func() {
				c, err := client(t.Context(), conn)
				if err == nil {
					_, err = c.Write([]byte("g"))
				}
				good <- err
			}()
			c, name := accept(t, ln)
			if err := <-good; err != nil || name != "g" {
				t.Errorf("accepted %q; the client: %v", name, err)
			}
			if n := ended.Load(); n != 1 {
				t.Errorf("%d handshakes have ended, want that of the good peer alone", n)
			}
			if c, ok := c.(*tls.Conn); !ok || !c.ConnectionState().HandshakeComplete {
				t.Errorf("accepted a %T", c)
			}

			_ = ln.Close()
			for i, c := range silent {
				if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("silent peer %d is still connected", i)
				}
			}
			if n := ended.Load(); n != 1001 {
				t.Errorf("%d handshakes have ended after Close", n)
			}
		})
	}
}

// What is above Max waits in the system's queue until somebody accepts, and comes in order.
func TestTheSystemsQueueIsServedInOrder(t *testing.T) {
	ln := listenLive(t, handshakes.Config{Max: 1, Timeout: time.Hour, Upgrade: noUpgrade})
	const names = "abcdefghijklmnopqrstuvwxyz"
	for _, name := range []byte(names) {
		_, _ = dial(t, ln).Write([]byte{name})
	}
	for i := range names {
		if _, name := accept(t, ln); name != names[i:i+1] {
			t.Errorf("connection %d is %q", i, name)
		}
	}
}

// LI-05: whenever Close comes, no socket is left, and all peers are told.
func TestCloseAtAnyMomentLeavesNothing(t *testing.T) {
	upgrade, client := tlsPair(t)
	before := sockets(t)
	for round := range 60 {
		t.Run("", func(t *testing.T) {
			ln := listenLive(t, handshakes.Config{Max: 1 + round%8, Upgrade: upgrade})
			var parties sync.WaitGroup
			parties.Go(func() { acceptAll(ln) })
			for i := range 8 {
				conn := dial(t, ln)
				parties.Go(func() { visit(t, conn, client, i%3) })
			}
			for range round {
				runtime.Gosched()
			}
			for range 2 {
				parties.Go(func() { _ = ln.Close() })
			}
			parties.Wait()
		})
	}
	if after := sockets(t); after != before {
		t.Errorf("%d sockets are open, %d were before", after, before)
	}
}

func acceptAll(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		_ = c.Close()
	}
}

// visit is a client that behaves well, badly, or not at all, and stays until the server ends it.
func visit(t *testing.T, conn net.Conn, client upgrader, how int) {
	switch how {
	case 0:
		_, _ = client(t.Context(), conn)
	case 1:
		_, _ = io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection was never closed")
	}
	_ = conn.Close()
}

// sockets counts the open sockets of the process.
func sockets(t *testing.T) (n int) {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	testenv.Need(t, err == nil, dir)
	for _, e := range entries {
		if target, err := os.Readlink(dir + "/" + e.Name()); err == nil && strings.HasPrefix(target, "socket:") {
			n++
		}
	}
	return n
}
