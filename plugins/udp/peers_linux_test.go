package udp_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
)

// A peer is a program of others, with its input and its output.
type peer struct {
	in   io.WriteCloser
	out  *bufio.Reader
	stop func() // ends it and waits for its end; the end of the test does so too
}

func start(t *testing.T, cmd *exec.Cmd) peer {
	t.Helper()
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	kill := func() { _ = cmd.Process.Kill() }
	giveUp := time.AfterFunc(patience, kill)
	stop := sync.OnceFunc(func() {
		giveUp.Stop()
		kill()
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	return peer{in, bufio.NewReader(out), stop}
}

// word reads n bytes of what the peer says.
func (p peer) word(t *testing.T, n int) string {
	t.Helper()
	buf := make([]byte, n)
	if n, err := io.ReadFull(p.out, buf); err != nil {
		t.Fatalf("the peer says %q, %v", buf[:n], err)
	}
	return string(buf)
}

func (p peer) line(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the peer says %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

// askUntilAnswered sends question until an answer comes, because the peer may not be there yet.
func askUntilAnswered(t *testing.T, c net.Conn, question, answer string) {
	t.Helper()
	buf := make([]byte, 100)
	for stop := time.Now().Add(patience); time.Now().Before(stop); {
		_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := c.Write([]byte(question))
		n := 0
		if err == nil {
			n, err = c.Read(buf)
		}
		switch {
		case err == nil && string(buf[:n]) == answer:
			return
		case err == nil:
			t.Fatalf("the peer answers %q", buf[:n])
		case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, os.ErrDeadlineExceeded):
		default:
			t.Fatal(err)
		}
	}
	t.Fatalf("no answer to %q", question)
}

var loopbacks = []struct{ name, address, literal, socat string }{
	{"IPv4", "127.0.0.1", "127.0.0.1", "4"},
	{"IPv6", "[::1]", "::1", "6"},
}

func TestSocatSendsAndHears(t *testing.T) {
	socat := testenv.Tool(t, "socat")
	for _, lo := range loopbacks {
		for _, option := range []string{"flowInfo=no", "flowInfo=yes"} {
			t.Run(lo.name+","+option, func(t *testing.T) {
				server := listen(t, "udp:port=0:interface="+lo.address+":"+option)
				p := start(t, exec.Command(socat, "-", "UDP"+lo.socat+":"+lo.address+":"+portOf(server)))
				_, _ = io.WriteString(p.in, "question")
				buf := make([]byte, 100)
				n, from, err := server.ReadFrom(buf)
				if err != nil || string(buf[:n]) != "question" {
					t.Fatalf("read %q, %v", buf[:n], err)
				}
				if _, err := server.WriteTo([]byte("answer"), from); err != nil {
					t.Fatal(err)
				}
				if got := p.word(t, len("answer")); got != "answer" {
					t.Errorf("socat reads %q", got)
				}
			})
		}
	}
}

func TestSocatAnswers(t *testing.T) {
	socat := testenv.Tool(t, "socat")
	for _, lo := range loopbacks {
		t.Run(lo.name, func(t *testing.T) {
			free := listen(t, "udp:port=0:interface="+lo.address)
			port := portOf(free)
			_ = free.Close()
			start(t, exec.Command(socat, "UDP"+lo.socat+"-RECVFROM:"+port+",bind="+lo.address+",fork", "PIPE"))
			askUntilAnswered(t, dial(t, "udp:host="+lo.address+":port="+port), "hello", "hello")
		})
	}
}

func twisted(t *testing.T, args ...string) peer {
	t.Helper()
	const python = "/usr/bin/python3" // that of the Debian package
	find := exec.Command(python, "-c", "import importlib.util, sys; sys.exit(not importlib.util.find_spec('twisted'))")
	testenv.Need(t, find.Run() == nil, "python3-twisted")
	return start(t, exec.Command(python, append([]string{"testdata/peer.py"}, args...)...))
}

func TestTwistedAnswers(t *testing.T) {
	for _, lo := range loopbacks {
		t.Run(lo.name, func(t *testing.T) {
			p := twisted(t, "echo", lo.literal)
			c := dial(t, "udp:host="+lo.address+":port="+p.line(t))
			askUntilAnswered(t, c, "hello", "HELLO")
		})
	}
}

func TestTwistedAsks(t *testing.T) {
	for _, lo := range loopbacks {
		for _, option := range []string{"flowInfo=no", "flowInfo=yes"} {
			t.Run(lo.name+","+option, func(t *testing.T) {
				server := listen(t, "udp:port=0:interface="+lo.address+":"+option)
				p := twisted(t, "ask", lo.literal, portOf(server))
				buf := make([]byte, 100)
				n, from, err := server.ReadFrom(buf)
				if err != nil || string(buf[:n]) != "question" {
					t.Fatalf("read %q, %v", buf[:n], err)
				}
				if _, err := server.WriteTo([]byte("answer"), from); err != nil {
					t.Fatal(err)
				}
				if got, want := p.line(t), "answer "+lo.literal+" "+portOf(server); got != want {
					t.Errorf("Twisted hears %q, want %q", got, want)
				}
			})
		}
	}
}
