//go:build linux

package interop

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// run runs a program as the peer's user, and ends the test where it fails.
func (p *peer) run(name string, args ...string) {
	p.t.Helper()
	group, ended := p.start(name, args...)
	defer p.stop(group, ended)
	select {
	case err := <-ended:
		if err != nil {
			p.t.Fatalf("%s: %v", name, err)
		}
	case <-testContext(p.t).Done():
		p.t.Fatalf("%s takes too long", name)
	}
}

// process makes what is started the leader of a session and of a process group, and the peer's user from the beginning.
func (p *peer) process() *syscall.SysProcAttr {
	p.t.Helper()
	attr := &syscall.SysProcAttr{Setsid: true}
	if p.login.Uid != "0" {
		attr.Credential = &syscall.Credential{Uid: uint32(p.id(p.login.Uid)), Gid: uint32(p.id(p.login.Gid))}
	}
	return attr
}

// serve starts a server, waits until it listens on all ports of the peer, and ends it with the test.
func (p *peer) serve(name string, args ...string) {
	p.t.Helper()
	group, ended := p.start(name, args...)
	p.t.Cleanup(func() {
		p.onlyLoopback(listeners(group))
		p.stop(group, ended)
	})
	p.awaitPorts(group, ended)
}

// start starts a program, one at a time, and returns its process group and a channel that tells of its end. Its output goes
// to a file.
func (p *peer) start(name string, args ...string) (group int, ended <-chan error) {
	p.t.Helper()
	out, err := os.OpenFile(filepath.Join(p.dir, "out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.SysProcAttr = p.dir, p.process()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	group = cmd.Process.Pid
	fmt.Fprintln(p.watch, group)
	end := make(chan error, 1)
	go func() {
		end <- cmd.Wait()
		close(end)
	}()
	return group, end
}

// stop asks a program to end where it has not, and kills what is left of its group.
func (p *peer) stop(group int, ended <-chan error) {
	select {
	case <-ended:
	default:
		_ = syscall.Kill(group, syscall.SIGTERM)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
	}
	_ = syscall.Kill(-group, syscall.SIGKILL)
	for range ended { // closed when there is no such process any more
	}
	fmt.Fprintln(p.watch)
}

func (p *peer) showLogs() {
	if !p.t.Failed() {
		return
	}
	for _, name := range []string{"out", "log"} {
		if text, err := os.ReadFile(filepath.Join(p.dir, name)); err == nil && len(text) > 0 {
			p.t.Logf("the server's %s:\n%s", name, text)
		}
	}
}

// awaitPorts waits until processes of the group listen on all ports of the peer, and on nothing that another machine
// could reach.
func (p *peer) awaitPorts(group int, ended <-chan error) {
	p.t.Helper()
	ctx := testContext(p.t)
	for !p.listensAsWanted(group) {
		select {
		case <-ended:
			p.t.Fatal("the server ended before it listened")
		case <-ctx.Done():
			p.t.Fatalf("the server listens on %v, wanted %v", listeners(group), p.ports)
		case <-time.After(30 * time.Millisecond):
		}
	}
}

func (p *peer) listensAsWanted(group int) bool {
	p.t.Helper()
	// Whose a socket is takes long to find out: first of all there has to be one.
	if !hasPorts(sockets(group, nil), p.ports) {
		return false
	}
	found := listeners(group)
	p.onlyLoopback(found)
	return hasPorts(found, p.ports)
}

func (p *peer) onlyLoopback(found []socket) {
	p.t.Helper()
	for _, s := range found {
		if !s.Addr().IsLoopback() {
			p.t.Errorf("the server has %v open", s)
		}
	}
}

func hasPorts(found []socket, ports map[string]int) bool {
	for _, number := range ports {
		if !slices.ContainsFunc(found, func(s socket) bool { return s.network == "tcp" && int(s.Port()) == number }) {
			return false
		}
	}
	return true
}

// awaitText waits until a file has a text in it.
func (p *peer) awaitText(file, text string) {
	p.t.Helper()
	ctx := testContext(p.t)
	for {
		if all, err := os.ReadFile(file); err == nil && strings.Contains(string(all), text) {
			return
		}
		select {
		case <-ctx.Done():
			p.t.Fatalf("no %q in %s", text, file)
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// startWatch starts a process that outlives this one where a test panics or times out, and then kills the process group
// that was written to it last, in a line that is empty for none, and removes dir.
func startWatch(t *testing.T, dir string) io.Writer {
	t.Helper()
	const script = `while read -r next; do group=$next; done
[ -z "$group" ] || kill -s KILL -- "-$group"
rm -rf -- "$1"`
	cmd := exec.Command("sh", "-c", script, "sh", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // out of reach of a terminal's interrupt
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return in
}

// freePort finds a port that nobody has, outside the range from which the system takes the ports of connections. It
// stays reserved among runs of these tests, which an abstract socket of its number tells of, until this test ends.
func freePort(t *testing.T) int {
	t.Helper()
	const first, count = 20000, 12000
	for i := range count {
		n := first + (os.Getpid()+i)%count
		mark, err := net.Listen("unix", fmt.Sprintf("@endpoint-interop-%d", n))
		if err != nil {
			continue
		}
		if ln, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", n)); err == nil {
			_ = ln.Close()
			t.Cleanup(func() { _ = mark.Close() })
			return n
		}
		_ = mark.Close()
	}
	t.Fatal("no free port")
	return 0
}

// removeDir removes what processes may be about to write into as they die.
func removeDir(t *testing.T, dir string) {
	t.Helper()
	for range 200 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%s can't be removed", dir)
}
