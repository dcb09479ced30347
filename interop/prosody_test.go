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
	p.speaks(t,
		dialogue{"xmpp", "C2S", stream("jabber:client", "<mechanism>PLAIN</mechanism>")},
		dialogue{"xmpp-server", "S2S", stream("jabber:server", "urn:xmpp:features:dialback")},
	)
}

// stream opens the stream anew, RFC 6120 section 5.4.3.3, and wants other features now.
func stream(namespace, feature string) func(*testing.T, net.Conn) {
	return func(t *testing.T, c net.Conn) {
		t.Helper()
		send(t, c, fmt.Sprintf("<?xml version='1.0'?><stream:stream from='client.test' to='localhost' version='1.0' xmlns='%s' "+
			"xmlns:stream='http://etherx.jabber.org/streams'>", namespace))
		features := until(t, c, "</stream:features>")
		if !strings.Contains(features, feature) || strings.Contains(features, "urn:ietf:params:xml:ns:xmpp-tls") {
			t.Errorf("the features are %s, wanted %s and no TLS", features, feature)
		}
	}
}
