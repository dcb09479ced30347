package peerscript_test

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"github.com/epctl/endpoint/internal/peerscript"
)

func TestPipeIsAConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2 = peerscript.Pipe()
		return c1, c2, func() { _, _ = c1.Close(), c2.Close() }, nil
	})
}

func TestPipeKeepsWritesApart(t *testing.T) {
	a, b := peerscript.Pipe()
	for _, s := range []string{"one", "two"} {
		if _, err := io.WriteString(a, s); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"o", "ne", "two"} {
		buf := make([]byte, max(1, len(want)))
		if n, err := b.Read(buf[:len(want)]); err != nil || string(buf[:n]) != want {
			t.Errorf("%q, %v; want %q", buf[:n], err, want)
		}
	}
}

func TestPipeEnds(t *testing.T) {
	a, b := peerscript.Pipe()
	if _, err := io.WriteString(a, "last words"); err != nil {
		t.Fatal(err)
	}
	_ = a.Close()
	if text, err := io.ReadAll(b); err != nil || string(text) != "last words" {
		t.Errorf("read %q, %v", text, err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a write to a closed end: %v", err)
	}
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read from a closed end: %v", err)
	}

	a, b = peerscript.Pipe()
	if err := a.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Write([]byte("answer")); err != nil {
		t.Errorf("a write behind CloseWrite of the other end: %v", err)
	}
	buf := make([]byte, 16)
	if n, err := a.Read(buf); err != nil || string(buf[:n]) != "answer" {
		t.Errorf("a read behind CloseWrite: %q, %v", buf[:n], err)
	}
}

func TestPipeInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := peerscript.Pipe()
		start := time.Now()
		go func() {
			time.Sleep(time.Hour)
			_, _ = a.Write(make([]byte, 100<<10)) // more than the window
			_ = a.Close()
		}()
		_ = b.SetReadDeadline(start.Add(time.Minute))
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		_ = b.SetReadDeadline(time.Time{})
		if text, err := io.ReadAll(b); err != nil || len(text) != 100<<10 || time.Since(start) != time.Hour {
			t.Errorf("%d bytes, %v, after %s", len(text), err, time.Since(start))
		}
	})
}
