//go:build linux

package interop

import (
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

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
	watch io.Writer         // takes the process group that is to die with this process
}

// newPeer makes the directory of a server that runs as the named user.
func newPeer(t *testing.T, login string, key certtest.KeyType) *peer {
	t.Helper()
	testenv.Root(t)
	account, err := user.Lookup(login)
	testenv.Need(t, err == nil, "the user "+login)
	// Not t.TempDir: its parent is closed to other users than root.
	dir, err := os.MkdirTemp("", "endpoint-peer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeDir(t, dir) })
	p := &peer{t: t, dir: dir, ports: map[string]int{}, login: account, watch: startWatch(t, dir)}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.showLogs)
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
