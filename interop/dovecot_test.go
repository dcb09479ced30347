//go:build linux

package interop

import (
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// startDovecot starts dovecot(1), which has imap, pop3, sieve and lmtp. It becomes its own users by itself.
func startDovecot(t *testing.T) *peer {
	t.Helper()
	dovecot := testenv.Tool(t, "dovecot")
	p := newPeer(t, "root", certtest.ECDSA)
	p.serve(dovecot, "-F", "-c", p.configure("dovecot.conf", "dovecot.conf"))
	return p
}

func TestClientAgainstDovecot(t *testing.T) {
	t.Parallel()
	p := startDovecot(t)
	p.speaks(t, dialogue{"imap", "IMAP"}, dialogue{"pop3", "POP3"}, dialogue{"sieve", "SIEVE"}, dialogue{"lmtp", "LMTP"})
}
