//go:build linux

package interop

import (
	"fmt"
	"net"
	"strings"
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
	p.speaks(t, dialogue{"mysql", "MYSQL", func(t *testing.T, c net.Conn) {
		// The packet of the SSLRequest, in full now: capabilities (protocol 4.1, TLS, passwords of 4.1, their plugins), the
		// largest packet, a character set, and root without a password. Its number goes on from the one in plain text.
		const response = "\x01\x8a\x08\x00" + "\x00\x00\x00\x01" + "\x21"
		send(t, c, mysqlPacket(2, response+strings.Repeat("\x00", 23)+"root\x00"+"\x00"+"mysql_native_password\x00\x00"))
		until(t, c, "\x00\x00\x03\x00") // an OK packet
		send(t, c, mysqlPacket(0, "\x03show status like 'Ssl_version'"))
		until(t, c, "TLSv1.3")
	}})
}

// mysqlPacket has a length of three bytes and a number before it.
func mysqlPacket(number byte, payload string) string {
	return string([]byte{byte(len(payload)), 0, 0, number}) + payload
}
