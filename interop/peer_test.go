//go:build linux

package interop

import (
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// A peer is a real server of somebody else's, which runs from a directory of its own until the test ends. It gets
// nothing but loopback, free ports, and a certificate for localhost.
type peer struct {
	t     *testing.T
	dir   string
	ca    string            // file of the authority that signed the certificate
	root  *x509.Certificate // of the same
	ports map[string]int    // by the names that the configuration has for them
	login *user.User        // whom the server runs as
}

// newPeer makes the directory of a server that runs as the named user.
func newPeer(t *testing.T, login string, key certtest.KeyType) *peer {
	t.Helper()
	testenv.Root(t)
	account, err := user.Lookup(login)
	testenv.Need(t, err == nil, "the user "+login)
	// Not t.TempDir: its parent is closed to other users than root.
	dir, err := os.MkdirTemp("", "endpoint-"+strings.ToLower(strings.TrimPrefix(t.Name(), "TestClientAgainst"))+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &peer{t: t, dir: dir, ports: map[string]int{}, login: account}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p.own(dir)
	p.certificate(key)
	return p
}

func (p *peer) certificate(key certtest.KeyType) {
	p.t.Helper()
	authority := certtest.NewAuthority(p.t)
	cert, private := authority.Issue(certtest.Spec{Names: []string{"localhost", "127.0.0.1", "::1"}, Key: key})
	p.ca, p.root = filepath.Join(p.dir, "ca.pem"), authority.Certificate
	p.write("ca.pem", authority.PEM())
	p.write("cert.pem", cert)
	p.write("key.pem", private)
}

// write makes a file that only the server's user can read.
func (p *peer) write(name string, data []byte) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	certtest.WriteFile(p.t, path, data)
	p.own(path)
}

// mkdir makes a directory of the server's user.
func (p *peer) mkdir(name string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.Mkdir(path, 0o755); err != nil {
		p.t.Fatal(err)
	}
	p.own(path)
	return path
}

func (p *peer) own(path string) {
	p.t.Helper()
	if err := os.Chown(path, p.id(p.login.Uid), p.id(p.login.Gid)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) id(s string) int {
	p.t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// configure copies testdata/peers/source to the file called name, with this peer's directory in place of @DIR@ and a
// port for each other name between such signs.
func (p *peer) configure(source, name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "peers", source))
	if err != nil {
		p.t.Fatal(err)
	}
	parts := strings.Split(string(text), "@")
	if len(parts)%2 == 0 {
		p.t.Fatalf("%s: an odd number of @", source)
	}
	for i := 1; i < len(parts); i += 2 {
		if parts[i] == "DIR" {
			parts[i] = p.dir
		} else {
			parts[i] = strconv.Itoa(p.port(parts[i]))
		}
	}
	p.write(name, []byte(strings.Join(parts, "")))
	return filepath.Join(p.dir, name)
}

// port is the peer's port of that name, chosen when first asked for.
func (p *peer) port(name string) int {
	p.t.Helper()
	if p.ports[name] == 0 {
		p.ports[name] = freePort(p.t)
	}
	return p.ports[name]
}

func (p *peer) address(name string) string { return fmt.Sprintf("127.0.0.1:%d", p.port(name)) }

// run runs a program as the peer's user, and ends the test where it fails.
func (p *peer) run(name string, args ...string) {
	p.t.Helper()
	cmd := exec.CommandContext(testContext(p.t), name, args...)
	cmd.Dir, cmd.SysProcAttr = p.dir, p.process()
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", cmd, err, out)
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
	out, err := os.Create(filepath.Join(p.dir, "out"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close()
	watch := startWatch(p.t, p.dir)
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.SysProcAttr = p.dir, p.process()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	watch(cmd.Process.Pid)
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	p.t.Cleanup(func() { p.stop(cmd.Process.Pid, ended) })
	p.awaitPorts(cmd.Process.Pid, ended)
}

// stop asks the server to end, and kills what is left of its group after that.
func (p *peer) stop(pid int, ended <-chan struct{}) {
	_ = syscall.Kill(pid, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	<-ended
	if p.t.Failed() {
		for _, name := range []string{"out", "log"} {
			if text, err := os.ReadFile(filepath.Join(p.dir, name)); err == nil && len(text) > 0 {
				p.t.Logf("the server's %s:\n%s", name, text)
			}
		}
	}
}

// awaitPorts waits until processes of the group listen on all ports of the peer, and on nothing that another machine
// could reach.
func (p *peer) awaitPorts(group int, ended <-chan struct{}) {
	p.t.Helper()
	ctx := testContext(p.t)
	for {
		listening := listeners(p.t, group)
		missing := false
		for _, number := range p.ports {
			missing = missing || !slices.ContainsFunc(listening, func(a socket) bool { return int(a.Port()) == number })
		}
		if !missing {
			for _, a := range listening {
				if !a.Addr().IsLoopback() {
					p.t.Errorf("the server has %v open", a)
				}
			}
			return
		}
		select {
		case <-ended:
			p.t.Fatal("the server ended before it listened")
		case <-ctx.Done():
			p.t.Fatalf("the server listens on %v, wanted %v", listening, p.ports)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// startWatch starts a process that outlives this one where a test panics or times out, and then kills the group that
// the returned function was given, and removes dir.
func startWatch(t *testing.T, dir string) func(group int) {
	t.Helper()
	const script = `read -r group; read -r _; kill -KILL -- "-$group"; rm -rf -- "$1"`
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
	return func(group int) {
		t.Helper()
		if _, err := fmt.Fprintln(in, group); err != nil {
			t.Fatal(err)
		}
	}
}

// freePort finds a port that nobody has, outside the range from which the system takes the ports of connections. It
// stays reserved among runs of these tests, which an abstract socket of its number tells of, until this test ends.
func freePort(t *testing.T) int {
	t.Helper()
	const first, last = 20000, 32000
	for n := first + os.Getpid()%(last-first); n < last; n++ {
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
