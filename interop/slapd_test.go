//go:build linux

package interop

import (
	"net"
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// startSlapd starts slapd(8), which has ldap.
func startSlapd(t *testing.T) *peer {
	t.Helper()
	slapd := testenv.Tool(t, "slapd")
	p := newPeer(t, "openldap", certtest.ECDSA)
	config := p.configure("slapd.conf", "slapd.conf")
	p.mkdir("data")
	p.serve(slapd, "-d", "0", "-f", config, "-h", "ldap://"+p.address("LDAP"))
	return p
}

func TestClientAgainstSlapd(t *testing.T) {
	t.Parallel()
	p := startSlapd(t)
	p.speaks(t, dialogue{"ldap", "LDAP", func(t *testing.T, c net.Conn) {
		// RFC 4511 section 4.2: a simple bind as "cn=a,dc=x" with the password "s", and its success.
		send(t, c, "\x30\x16\x02\x01\x02\x60\x11\x02\x01\x03\x04\x09cn=a,dc=x\x80\x01s")
		until(t, c, "\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00")
	}})
}
