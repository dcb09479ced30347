package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
)

// A child is a process that a test starts; it is killed with the test's patience.
type child struct {
	*exec.Cmd
	t        *testing.T
	in       io.WriteCloser
	out, err watched
	wait     func() error // Wait, any number of times
}

// watched is what a process has written so far.
type watched struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed with each write
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.more != nil {
		close(w.more)
		w.more = nil
	}
	return w.text.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// waits returns what has been written between two texts, once the second is there.
func (w *watched) waits(t testing.TB, before, behind string) string {
	t.Helper()
	late := time.After(patience)
	for {
		w.mu.Lock()
		if w.more == nil {
			w.more = make(chan struct{})
		}
		more, so := w.more, w.text.String()
		w.mu.Unlock()
		_, rest, ok1 := strings.Cut(so, before)
		between, _, ok2 := strings.Cut(rest, behind)
		if ok1 && ok2 {
			return between
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("%q does not come, only %q", before, so)
		}
	}
}

// begin starts a program whose stdin stays open.
func begin(t *testing.T, program string, args ...string) *child {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	c := &child{Cmd: exec.CommandContext(ctx, program, args...), t: t}
	c.Stdout, c.Stderr = &c.out, &c.err
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in = in
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	c.wait = sync.OnceValue(c.Wait)
	t.Cleanup(func() { cancel(); _ = c.wait() })
	return c
}

// ends waits for the end, whose status must be the given one.
func (c *child) ends(status int) {
	c.t.Helper()
	_ = c.wait()
	if got := c.ProcessState.ExitCode(); got != status {
		c.t.Fatalf("%v ended with status %d, not %d\nstdout: %s\nstderr: %s", c.Args, got, status, &c.out, &c.err)
	}
}

// peer listens on loopback, and gives the connection to serve. It returns the client string for it.
func peer(t *testing.T, serve func(*net.TCPConn)) string {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if conn, err := ln.Accept(); err == nil {
			defer conn.Close()
			serve(conn.(*net.TCPConn))
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return "tcp4:" + ln.Addr().String()
}

func TestDialEndsWhenThePeerClosesThoughStdinIsOpen(t *testing.T) {
	c := begin(t, "epctl", "dial", peer(t, func(conn *net.TCPConn) { _, _ = io.WriteString(conn, "bye\n") }))
	c.ends(0)
	if c.out.String() != "bye\n" || c.err.String() != "" {
		t.Errorf("stdout %q, stderr %q", &c.out, &c.err)
	}
}

func TestDialHalfClosesAtTheEndOfStdin(t *testing.T) {
	c := begin(t, "epctl", "dial", peer(t, func(conn *net.TCPConn) {
		question, _ := io.ReadAll(conn) // ends only by a half-close
		_, _ = io.WriteString(conn, "you said "+string(question))
	}))
	_, _ = io.WriteString(c.in, "hello")
	_ = c.in.Close()
	c.ends(0)
	if c.out.String() != "you said hello" {
		t.Errorf("stdout %q", &c.out)
	}
}

func TestDialFailsWhenThePeerResets(t *testing.T) {
	c := begin(t, "epctl", "dial", peer(t, func(conn *net.TCPConn) {
		_, _ = io.ReadFull(conn, make([]byte, 1))
		_ = conn.SetLinger(0)
	}))
	_, _ = io.WriteString(c.in, "x")
	c.ends(1)
	if !strings.HasPrefix(c.err.String(), "epctl: read tcp4 ") && !strings.HasPrefix(c.err.String(), "epctl: read tcp ") {
		t.Errorf("stderr %q", &c.err)
	}
}

func TestSignalsEndDialCleanly(t *testing.T) {
	testenv.Need(t, runtime.GOOS != "windows", "signals of Unix")
	for signal, status := range map[os.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		t.Run(signal.String(), func(t *testing.T) {
			greeted := make(chan struct{})
			ended := make(chan error, 1)
			c := begin(t, "epctl", "dial", peer(t, func(conn *net.TCPConn) {
				_, _ = io.ReadFull(conn, make([]byte, 1))
				close(greeted)
				_, err := io.Copy(io.Discard, conn)
				ended <- err
			}))
			_, _ = io.WriteString(c.in, "x")
			<-greeted
			if err := c.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			c.ends(status)
			<-ended // the peer sees the end of the connection
			if c.err.String() != "" {
				t.Errorf("stderr %q", &c.err)
			}
		})
	}
}

func TestSignalEndsWhatHasNotConnectedYet(t *testing.T) {
	testenv.Need(t, runtime.GOOS != "windows", "signals of Unix")
	for _, args := range [][]string{{"dial", "--trace=json", "sloth"}, {"listen", "--trace=json", "sloth"}} {
		c := begin(t, "epctl-extra", args...)
		c.err.waits(t, `"kind":"built"`, "\n")
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		c.ends(143)
		if strings.Contains(c.err.String(), "epctl:") {
			t.Errorf("stderr %q", &c.err)
		}
	}
}

// LI-02: connections over the limit wait, and are served when there is room.
func TestListenServesOnlySoManyConnectionsAtATime(t *testing.T) {
	c := begin(t, "epctl", "listen", "--echo", "--max-conns", "1", "tcp4:port=0:interface=127.0.0.1")
	address := c.err.waits(t, "listening on ", "\n")
	first, second := connect(t, address), connect(t, address)
	echoes(t, first)
	_, _ = io.WriteString(second, "y") // waits in the second connection
	_ = first.Close()
	if got, err := io.ReadFull(second, make([]byte, 1)); err != nil {
		t.Errorf("the second connection got %d bytes: %v", got, err)
	}
	_ = c.Process.Kill()
	_ = c.wait() // after which all of stderr is there
	ended := strings.Index(c.err.String(), first.LocalAddr().String()+" ended")
	began := strings.Index(c.err.String(), second.LocalAddr().String()+" to")
	if ended < 0 || began < ended {
		t.Errorf("the second connection is served before the end of the first:\n%s", &c.err)
	}
}

func connect(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

func echoes(t *testing.T, conn net.Conn) {
	t.Helper()
	answer := make([]byte, 1)
	_, _ = io.WriteString(conn, "x")
	if _, err := io.ReadFull(conn, answer); err != nil || answer[0] != 'x' {
		t.Fatalf("echo %q: %v", answer, err)
	}
}

// ST-22: on a terminal, what a peer sends is shown and not obeyed; with --raw it is passed on.
func TestTerminalDoesNotObeyThePeer(t *testing.T) {
	const hostile = "\x1b[2Jcleared\r\nbell\a \xff \u202e\r"
	serve := func(conn *net.TCPConn) { _, _ = io.WriteString(conn, hostile) }
	shown := onTerminal(t, "epctl", "dial", peer(t, serve))
	if want := `\x1b[2Jcleared` + "\r\n" + `bell\a \xff \u202e\r`; shown != want {
		t.Errorf("shown as %q, not %q", shown, want)
	}
	raw := onTerminal(t, "epctl", "dial", "--raw", peer(t, serve))
	if !strings.Contains(raw, "\x1b[2J") {
		t.Errorf("raw as %q", raw)
	}
}

func TestColourIsForTerminals(t *testing.T) {
	args := []string{"epctl", "check", "tcp4:80", "tcp4:x"}
	if shown := onTerminal(t, args...); !strings.Contains(shown, "\x1b[32mok\x1b[0m") || !strings.Contains(shown, "\x1b[1;31m") {
		t.Errorf("no colour in %q", shown)
	}
	for _, variable := range []string{"NO_COLOR=1", "TERM=dumb"} {
		if shown := onTerminal(t, append([]string{"env", variable}, args...)...); strings.Contains(shown, "\x1b") {
			t.Errorf("colour with %s: %q", variable, shown)
		}
	}
	piped, _ := exec.Command(args[0], args[1:]...).CombinedOutput() // the string is wrong, which is the point
	if strings.Contains(string(piped), "\x1b") {
		t.Errorf("colour in a pipe: %q", piped)
	}
}

// onTerminal returns what a program writes to a terminal, which puts a carriage return before each newline.
func onTerminal(t *testing.T, args ...string) string {
	t.Helper()
	testenv.Need(t, runtime.GOOS == "linux", "the script of util-linux")
	script := testenv.Tool(t, "script")
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, script, "-qec", strings.Join(quoted, " "), "/dev/null")
	cmd.Env = append(os.Environ(), "TERM=xterm", "SHELL=/bin/sh")
	in, err := cmd.StdinPipe() // which stays open: an end of input would go to the program
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, _ := cmd.Output() // some programs fail on purpose
	return string(out)
}

func TestForeignPeers(t *testing.T) {
	socat := testenv.Tool(t, "socat")
	t.Run("socat listens", func(t *testing.T) {
		port := freePort(t)
		s := begin(t, socat, "-dd", "TCP4-LISTEN:"+port+",bind=127.0.0.1", "SYSTEM:'read line; echo got $line'")
		s.err.waits(t, "listening on", "\n")
		c := begin(t, "epctl", "dial", "tcp4:127.0.0.1:"+port)
		_, _ = io.WriteString(c.in, "hello\n")
		c.ends(0)
		if c.out.String() != "got hello\n" {
			t.Errorf("stdout %q", &c.out)
		}
		s.ends(0)
	})
	t.Run("socat dials", func(t *testing.T) {
		c := begin(t, "epctl", "listen", "--once", "tcp4:port=0:interface=127.0.0.1")
		address := c.err.waits(t, "listening on ", "\n")
		s := begin(t, socat, "-u", "-", "TCP4:"+address)
		_, _ = io.WriteString(s.in, "hello\n")
		_ = s.in.Close()
		s.ends(0)
		c.ends(0)
		if c.out.String() != "hello\n" {
			t.Errorf("stdout %q", &c.out)
		}
	})
	t.Run("socat has a datagram echo", func(t *testing.T) {
		port := freePort(t)
		s := begin(t, socat, "-dd", "UDP4-RECVFROM:"+port+",bind=127.0.0.1,fork", "PIPE")
		s.err.waits(t, "receiving on", "\n")
		c := begin(t, "epctl-extra", "dial", "--wait", "1m", "--replies", "1", "gram:127.0.0.1:"+port)
		_, _ = io.WriteString(c.in, "hello\n")
		c.ends(0)
		if c.out.String() != "hello\n" {
			t.Errorf("stdout %q", &c.out)
		}
	})
	t.Run("socat sends a datagram", func(t *testing.T) {
		c := begin(t, "epctl-extra", "listen", "--once", "gram:port=0")
		address := c.err.waits(t, "listening on ", "\n")
		s := begin(t, socat, "-u", "-", "UDP4-SENDTO:"+address)
		_, _ = io.WriteString(s.in, "hello")
		_ = s.in.Close()
		c.ends(0)
		if !strings.HasSuffix(c.out.String(), "5 bytes: hello\n") {
			t.Errorf("stdout %q", &c.out)
		}
	})
}

// freePort returns a port that nobody has, for a program that can't pick one itself. Somebody may take it meanwhile;
// ports are given out in turn, so not soon.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}
