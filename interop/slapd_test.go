//go:build linux

package interop

import (
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
	p.speaks(t, dialogue{"ldap", "LDAP"})
}
