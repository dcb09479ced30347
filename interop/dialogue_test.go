//go:build linux

package interop

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/testenv"
)

type dialogue struct {
	proto, port string
}

func (p *peer) speaks(t *testing.T, dialogues ...dialogue) {
	for _, d := range dialogues {
		t.Run(d.proto, func(t *testing.T) {
			t.Run("openssl", func(t *testing.T) { p.openssl(t, d) })
		})
	}
}

// openssl shows that the peer is what it should be, before anything is said about us.
func (p *peer) openssl(t *testing.T, d dialogue) {
	t.Helper()
	cmd := exec.CommandContext(testContext(t), testenv.Tool(t, "openssl"), "s_client", "-starttls", d.proto,
		"-connect", p.address(d.port), "-CAfile", p.ca, "-verify_return_error", "-verify_hostname", "localhost",
		"-servername", "localhost", "-xmpphost", "localhost", "-brief")
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"Verification: OK", "Protocol version: TLSv1.3"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("%v: %v, without %q:\n%s", cmd, err, want, out)
		}
	}
}
