//go:build linux

package interop

import (
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// startProsody starts prosody(8), which has xmpp and xmpp-server for the domain localhost.
func startProsody(t *testing.T) *peer {
	t.Helper()
	prosody := testenv.Tool(t, "prosody")
	p := newPeer(t, "prosody", certtest.ECDSA)
	p.mkdir("data")
	p.serve(prosody, "--config", p.configure("prosody.cfg.lua", "prosody.cfg.lua"), "-F")
	return p
}

func TestClientAgainstProsody(t *testing.T) {
	t.Parallel()
	p := startProsody(t)
	p.speaks(t, dialogue{"xmpp", "C2S"}, dialogue{"xmpp-server", "S2S"})
}
