//go:build linux

package interop

import (
	"encoding/binary"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/starttls"
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
	// It listens before it takes anybody: this file tells when, see pg_ctl's source.
	p.awaitText(filepath.Join(data, "postmaster.pid"), "ready")
	return p
}

func TestClientAgainstPostgres(t *testing.T) {
	t.Parallel()
	p := startPostgres(t)
	p.speaks(t, dialogue{"postgres", "POSTGRES", func(t *testing.T, c net.Conn) {
		// PostgreSQL's manual, "Message Formats": a StartupMessage of version 3.0, and AuthenticationOk.
		send(t, c, "\x00\x00\x00\x17\x00\x03\x00\x00user\x00postgres\x00\x00")
		until(t, c, "R\x00\x00\x00\x08\x00\x00\x00\x00")
		// The server's own view of it.
		const query = "select version from pg_stat_ssl where pid = pg_backend_pid()\x00"
		send(t, c, "Q"+string(binary.BigEndian.AppendUint32(nil, uint32(len(query)+4)))+query)
		until(t, c, "TLSv1.3")
	}})
	// ST-13: Debian's server is older than TLS at once.
	t.Run("TLS at once, or nothing", func(t *testing.T) {
		s := p.client(dialogue{proto: "postgres", port: "POSTGRES"}, "localhost", p.ca) + ":direct=yes"
		var failed *starttls.Error
		if err := refused(t, s); !errors.As(err, &failed) || failed.Stage != starttls.StageHandshake {
			t.Errorf("the error is %v, wanted one of the handshake", err)
		}
	})
}
