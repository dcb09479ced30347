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
	p.speaks(t,
		// What may be said in clear is not offered before TLS.
		dialogue{"imap", "IMAP", lines("> a CAPABILITY", `< \* CAPABILITY .*AUTH=PLAIN`, "< a OK", "> b LOGOUT", "< b OK")},
		dialogue{"pop3", "POP3", lines("> CAPA", "< SASL PLAIN", `< \.$`, "> QUIT", `< \+OK`)},
		// RFC 5804 section 2.2: the capabilities come again, unasked.
		dialogue{"sieve", "SIEVE", lines(`< "SASL" "PLAIN`, "< OK", "> LOGOUT", "< OK")},
		dialogue{"lmtp", "LMTP", lines("> LHLO client.test", "< 250 ", "> QUIT", "< 221 ")},
	)
}
