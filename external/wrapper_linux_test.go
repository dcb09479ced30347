package external_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/epctl/endpoint/registry"
)

// pipe is a connection of the client of s, whose port is that of a server of the test's own, and its peer there.
func pipe(t *testing.T, r *registry.Registry, prefix string) (conn net.Conn, peer *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	check(t, err)
	defer ln.Close()
	conn = dial(t, r, prefix+clientOf("tcp4", ln))
	accepted, err := ln.Accept()
	check(t, err)
	t.Cleanup(func() { accepted.Close() })
	_ = accepted.SetDeadline(time.Now().Add(patience))
	return conn, accepted.(*net.TCPConn)
}

func TestARelayedConnectionIsLikeTheOneBehindIt(t *testing.T) {
	r := registryOf(t, open(t, "many"))
	t.Run("addresses", func(t *testing.T) {
		conn, peer := pipe(t, r, "xor:")
		if conn.LocalAddr().String() != peer.RemoteAddr().String() || conn.RemoteAddr().String() != peer.LocalAddr().String() {
			t.Errorf("%v to %v, and the peer %v to %v", conn.LocalAddr(), conn.RemoteAddr(), peer.LocalAddr(), peer.RemoteAddr())
		}
		if _, ok := conn.RemoteAddr().(*net.TCPAddr); !ok {
			t.Errorf("the address is a %T", conn.RemoteAddr())
		}
	})
	t.Run("half close", func(t *testing.T) {
		conn, peer := pipe(t, r, "xor:xor:")
		_, err := io.WriteString(conn, "question")
		check(t, err)
		check(t, conn.(interface{ CloseWrite() error }).CloseWrite())
		if got, err := io.ReadAll(peer); err != nil || string(got) != "question" {
			t.Errorf("the peer got %q, %v", got, err)
		}
		_, err = io.WriteString(peer, "answer")
		check(t, err)
		check(t, peer.Close())
		if got, err := io.ReadAll(conn); err != nil || string(got) != "answer" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("the peer closes its half", func(t *testing.T) {
		conn, peer := pipe(t, r, "xor:xor:")
		check(t, peer.CloseWrite())
		if got, err := io.ReadAll(conn); err != nil || len(got) != 0 {
			t.Errorf("got %q, %v", got, err)
		}
		_, err := io.WriteString(conn, "still")
		check(t, err)
		check(t, conn.Close())
		if got, err := io.ReadAll(peer); err != nil || string(got) != "still" {
			t.Errorf("the peer got %q, %v", got, err)
		}
	})
	t.Run("close", func(t *testing.T) {
		conn, peer := pipe(t, r, "xor:xor:")
		// All that was written arrives, though nobody reads it yet.
		want := bytes.Repeat([]byte("0123456789abcdef"), 1<<12)
		_, err := conn.Write(want)
		check(t, err)
		check(t, conn.Close())
		if err := conn.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the second Close: %v", err)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
		if got, err := io.ReadAll(peer); err != nil || !bytes.Equal(got, want) {
			t.Errorf("the peer got %d bytes, %v", len(got), err)
		}
		// The peer has closed nothing, and the connection is closed all the same.
		await(t, func() bool { _, err := peer.Write([]byte("x")); return err != nil }, "the peer can go on writing")
	})
	t.Run("reset", func(t *testing.T) {
		conn, peer := pipe(t, r, "xor:")
		check(t, peer.SetLinger(0))
		check(t, peer.Close())
		if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
			t.Errorf("a reset is read as %d, %v", n, err)
		}
	})
	t.Run("deadlines", func(t *testing.T) {
		conn, _ := pipe(t, r, "xor:")
		check(t, conn.SetReadDeadline(time.Now().Add(time.Millisecond)))
		_, err := conn.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("Read: %v", err)
		}
	})
	t.Run("bulk", func(t *testing.T) {
		conn, peer := pipe(t, r, "xor:xor:")
		want := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
		var both sync.WaitGroup
		both.Go(func() {
			_, err := io.Copy(peer, peer)
			if err != nil {
				t.Error(err)
			}
			peer.CloseWrite()
		})
		both.Go(func() {
			if _, err := io.Copy(conn, bytes.NewReader(want)); err != nil {
				t.Error(err)
			}
			check(t, conn.(interface{ CloseWrite() error }).CloseWrite())
		})
		var got bytes.Buffer
		if _, err := io.Copy(&got, conn); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%d bytes came back, %v", got.Len(), err)
		}
		both.Wait()
	})
}

// A connection that can't be closed by halves has no method that says so.
func TestARelayedConnectionPromisesNoMoreThanTheOneBehindIt(t *testing.T) {
	r := registryOf(t, open(t, "many"))
	conn := dial(t, r, "keeper:hello")
	if _, ok := conn.(interface{ CloseWrite() error }); ok {
		t.Error("it can be closed by halves")
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "HELLO" {
		t.Errorf("%q, %v", got, err)
	}
}

// PL-10, and that a new process takes up what was built for the old.
func TestAnEndpointGoesOnInTheNextProcess(t *testing.T) {
	p := open(t, "many")
	r := registryOf(t, p)
	c, err := r.NewClient("xor:" + clientOf("tcp4", echo(t)))
	check(t, err)
	for range 3 {
		conn, err := c.Dial(within(t))
		check(t, err)
		conn.Close()
		kill(t, p)
	}
}
