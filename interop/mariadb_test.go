//go:build linux

package interop

import (
	"fmt"
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// startMariaDB starts mariadbd(8) with system tables and nothing else; root needs no password.
func startMariaDB(t *testing.T) *peer {
	t.Helper()
	mariadbd, install := testenv.Tool(t, "mariadbd"), testenv.Tool(t, "mariadb-install-db")
	p := newPeer(t, "mysql", certtest.ECDSA)
	data, tmp := "--datadir="+p.mkdir("data"), "--tmpdir="+p.mkdir("tmp")
	p.run(install, "--no-defaults", data, tmp, "--skip-test-db", "--auth-root-authentication-method=normal")
	p.serve(mariadbd, "--no-defaults", data, tmp, "--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", p.port("MYSQL")),
		"--socket="+p.dir+"/tmp/socket", "--pid-file="+p.dir+"/tmp/pid",
		"--ssl-cert="+p.dir+"/cert.pem", "--ssl-key="+p.dir+"/key.pem")
	return p
}

func TestClientAgainstMariaDB(t *testing.T) {
	t.Parallel()
	p := startMariaDB(t)
	p.speaks(t, dialogue{"mysql", "MYSQL"})
}
