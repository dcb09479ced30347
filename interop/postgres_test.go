//go:build linux

package interop

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// startPostgres starts postgres(1) with an empty database cluster that trusts everybody.
func startPostgres(t *testing.T) *peer {
	t.Helper()
	// Debian has one directory for each version, and none of them in PATH.
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	testenv.Need(t, len(found) > 0, "the program postgres")
	bin := filepath.Dir(found[len(found)-1])
	p := newPeer(t, "postgres", certtest.ECDSA)
	data := p.mkdir("data")
	p.run(filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "--no-sync", "--locale=C")
	args := []string{"-D", data, "-F", "-h", "127.0.0.1", "-p", strconv.Itoa(p.port("POSTGRES")), "-k", ""}
	for _, setting := range []string{"ssl=on", "ssl_cert_file=" + p.dir + "/cert.pem", "ssl_key_file=" + p.dir + "/key.pem"} {
		args = append(args, "-c", setting)
	}
	p.serve(filepath.Join(bin, "postgres"), args...)
	return p
}

func TestClientAgainstPostgres(t *testing.T) {
	t.Parallel()
	p := startPostgres(t)
	p.speaks(t, dialogue{"postgres", "POSTGRES"})
}
