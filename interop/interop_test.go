// Package interop talks to programs of other people: what speaks only to itself is not finished.
package interop

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/internal/testenv"
)

// patience bounds everything that a foreign program takes part in; it is no measure of speed.
const patience = 30 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// twistedPython is the interpreter that has Debian's python3-twisted.
func twistedPython(t *testing.T) string {
	t.Helper()
	const python = "/usr/bin/python3"
	err := exec.Command(python, "-c", "import twisted").Run()
	testenv.Need(t, err == nil, "Twisted (the package python3-twisted)")
	return python
}

// start runs a program until the test ends, and returns what it prints.
func start(t *testing.T, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() && complaints.Len() > 0 {
			t.Logf("%s said: %s", cmd.Path, complaints.String())
		}
	})
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	return bufio.NewReader(out)
}

func readLine(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("read a line: %v (have %q)", err, line)
	}
	return strings.TrimSuffix(line, "\n")
}

func listen(t *testing.T, s string) net.Listener {
	t.Helper()
	ln, err := endpoint.Listen(testContext(t), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// echoOnce accepts one connection and sends back what comes, until the peer is done.
func echoOnce(ln net.Listener) {
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(patience))
		_, _ = io.Copy(c, c)
	}()
}

// pingPong sends a line over c and wants it back.
func pingPong(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(patience))
	const line = "from endpoint\n"
	if _, err := io.WriteString(c, line); err != nil {
		t.Fatal(err)
	}
	if got := readLine(t, bufio.NewReader(c)) + "\n"; got != line {
		t.Errorf("got %q back, want %q", got, line)
	}
}

func port(ln net.Listener) int { return ln.Addr().(*net.TCPAddr).Port }

func dial(t *testing.T, s string) net.Conn {
	t.Helper()
	c, err := endpoint.Dial(testContext(t), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// with puts a port number into a string.
func with(format string, port any) string { return fmt.Sprintf(format, port) }
