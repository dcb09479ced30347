package alliface

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

const childVariable = "ENDPOINT_TEST_ALLIFACE_CHILD"

const starvedHosts = 4

func host(n int) string { return fmt.Sprintf("127.0.0.%d", n+1) }

// LI-01: the child process has no descriptor left for more than a second while a connection waits on each address.
func TestAStarvedProcessRestsAndRecovers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the child says nothing")
	}
	port := lines.Text()
	var asked sync.WaitGroup
	for n := range starvedHosts {
		asked.Go(func() {
			if err := served(net.JoinHostPort(host(n), port)); err != nil {
				t.Error(err)
			}
		})
	}
	asked.Wait()
	for lines.Scan() {
		t.Log(lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("child: %v", err)
	}
}

// served connects and waits for the answer.
func served(addr string) error {
	c, err := net.DialTimeout("tcp4", addr, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "served" {
		return fmt.Errorf("%s: read %q, %v", addr, got, err)
	}
	return nil
}

// A famine notes the failures of all sockets, and ends a second after the first.
type famine struct {
	mu       sync.Mutex
	hoard    []*os.File
	failures int
	since    time.Time
	spent    time.Duration
	late     int // failures after the end
}

// A starved listener is one of several.
type starved struct {
	net.Listener
	*famine
}

func (s starved) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if errors.Is(err, syscall.EMFILE) {
		s.failed()
	}
	return c, err
}

func (f *famine) failed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hoard == nil {
		f.late++
		return
	}
	if f.failures == 0 {
		f.since = time.Now()
	}
	f.failures++
	if f.spent = time.Since(f.since); f.spent > time.Second {
		for _, file := range f.hoard {
			_ = file.Close()
		}
		f.hoard = nil
	}
}

func child() int {
	if err := starvingServer(); err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	return 0
}

func starvingServer() error {
	f := &famine{}
	ln, err := starvingListener(f)
	if err != nil {
		return err
	}
	if err := f.begin(); err != nil {
		return err
	}
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	for range starvedHosts {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		_, _ = io.WriteString(c, "served")
		_ = c.Close()
	}
	_ = ln.Close()
	rate := float64(f.failures) / f.spent.Seconds()
	fmt.Printf("%d failures in %v, %d after the descriptors were free\n", f.failures, f.spent, f.late)
	// A socket may have failed just before the descriptors were free, and note it just after.
	if f.failures < 2 || rate >= 50 || f.late >= starvedHosts {
		return fmt.Errorf("%.1f accepts a second", rate)
	}
	return nil
}

func starvingListener(f *famine) (*Listener, error) {
	var hosts []string
	for n := range starvedHosts {
		hosts = append(hosts, host(n))
	}
	l := &Listener{conns: make(chan net.Conn)}
	l.set = newSet(everywhere(0), "tcp", nil, func(to Target, port uint16) (socket, error) {
		ln, err := net.Listen("tcp4", netip.AddrPortFrom(to.Addr, port).String())
		if err != nil {
			return nil, err
		}
		return newStreamSocket(l, starved{ln, f}), nil
	})
	source := newFakeSource(eth(1, "lo", hosts...))
	l.set.source, l.set.now = source, source.Snapshot()
	return l, l.set.start(context.Background())
}

// begin lowers the limit and opens files until nothing is left.
func (f *famine) begin() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 64, Max: 64}); err != nil {
		return err
	}
	for {
		file, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			return nil
		}
		if err != nil {
			return err
		}
		f.hoard = append(f.hoard, file)
	}
}
