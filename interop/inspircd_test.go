//go:build linux

package interop

import (
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// startInspIRCd starts inspircd(8), which has irc.
func startInspIRCd(t *testing.T) *peer {
	t.Helper()
	inspircd := testenv.Tool(t, "inspircd")
	p := newPeer(t, "irc", certtest.ECDSA)
	p.serve(inspircd, "--nofork", "--config", p.configure("inspircd.conf", "inspircd.conf"))
	return p
}

func TestClientAgainstInspIRCd(t *testing.T) {
	t.Parallel()
	p := startInspIRCd(t)
	p.speaks(t, dialogue{"irc", "IRC", lines("> NICK tester", "> USER tester 0 * :tester", `< :irc\.localhost 001 tester `, "> QUIT", "< ERROR ")})
}
