//go:build unix

package acceptloop_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/acceptloop"
	"go.uber.org/goleak"
)

const childVariable = "ENDPOINT_TEST_ACCEPTLOOP_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		if err := starvingServer(); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// LI-01: the child process has no descriptor left for more than a second while a connection waits.
func TestAStarvedProcessRestsAndRecovers(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1")
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the child says nothing")
	}
	c, err := net.DialTimeout("tcp4", lines.Text(), 10*time.Second)
	if err != nil {
		t.Fatalf("%v (the child says %q)", err, lines.Text())
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if got, err := io.ReadAll(c); err != nil || string(got) != "served" {
		t.Errorf("read %q, %v", got, err)
	}
	var rest strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&rest, lines.Text())
	}
	if err := child.Wait(); err != nil {
		t.Errorf("child: %v\n%s", err, rest.String())
	}
	t.Log(rest.String())
}

// A starved listener notes its failures, and frees the descriptors in the middle of one.
type starved struct {
	net.Listener
	free     func()
	failures int
	since    time.Time
	spent    time.Duration
	late     int // failures after free
}

func (s *starved) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if !errors.Is(err, syscall.EMFILE) {
		return c, err
	}
	if s.free == nil {
		s.late++
		return c, err
	}
	if s.failures == 0 {
		s.since = time.Now()
	}
	s.failures++
	if s.spent = time.Since(s.since); s.spent > time.Second {
		s.free()
		s.free = nil
	}
	return c, err
}

func starvingServer() error {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	hoard, err := takeAllDescriptors()
	if err != nil {
		return err
	}
	s := &starved{Listener: ln, free: func() {
		for _, f := range hoard {
			_ = f.Close()
		}
	}}
	fmt.Println(ln.Addr())
	err = acceptloop.Run(context.Background(), s, func(c net.Conn) {
		_, _ = io.WriteString(c, "served")
		_ = c.Close()
		_ = ln.Close()
	}, func(f acceptloop.Failure) { fmt.Printf("report: %+v\n", f) })
	if !errors.Is(err, net.ErrClosed) {
		return err
	}
	rate := float64(s.failures) / s.spent.Seconds()
	fmt.Printf("%d failures in %v, %d after the descriptors were free\n", s.failures, s.spent, s.late)
	if s.failures < 2 || rate >= 50 || s.late > 0 {
		return fmt.Errorf("%.1f accepts a second", rate)
	}
	return nil
}

// takeAllDescriptors lowers the limit and opens files until nothing is left.
func takeAllDescriptors() (hoard []*os.File, err error) {
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil, err
	}
	for {
		f, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			return hoard, nil
		}
		if err != nil {
			return nil, err
		}
		hoard = append(hoard, f)
	}
}
