package interop

import (
	"fmt"
	"os/exec"
	"testing"

	"github.com/epctl/endpoint"
)

// One string in both worlds: Twisted's clientFromString connects to what we make of the string's server side, and we
// connect to what Twisted's serverFromString makes of it.
func TestStringsMeanTheSameToTwisted(t *testing.T) {
	python := twistedPython(t)
	for _, tc := range []struct{ name, server, client string }{
		{"tcp over IPv4", `tcp:%v:interface=127.0.0.1`, `tcp:127.0.0.1:%v`},
		{"tcp by keys", `tcp:port=%v:interface=127.0.0.1:backlog=10`, `tcp:host=127.0.0.1:port=%v:timeout=10`},
		{"tcp with the host by key only", `tcp:%v:interface=127.0.0.1`, `tcp:%v:host=127.0.0.1`},
		{"tcp by a name", `tcp:%v:interface=127.0.0.1`, `tcp:localhost:%v:bindAddress=127.0.0.1`},
		{"tcp with an IPv6 interface", `tcp:%v:interface=\:\:1`, `tcp:host=\:\:1:port=%v`},
		{"tcp6", `tcp6:port=%v:interface=\:\:1`, `tcp:\:\:1:%v`},
		{"tcp6 by position", `tcp6:%v:20:\:\:1`, `tcp:\:\:1:%v:timeout=5`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Run("Twisted dials", func(t *testing.T) {
				ln := listen(t, with(tc.server, 0))
				echoOnce(ln)
				out := start(t, exec.Command(python, "testdata/twisted_client.py", with(tc.client, port(ln))))
				if got := readLine(t, out); got != "from twisted" {
					t.Errorf("Twisted got %q back", got)
				}
			})
			t.Run("Twisted listens", func(t *testing.T) {
				out := start(t, exec.Command(python, "testdata/twisted_server.py", with(tc.server, 0)))
				pingPong(t, dial(t, with(tc.client, readLine(t, out))))
			})
		})
	}
}

// What Twisted prints for a string that both refuse is beside the point; that both refuse it is not.
func TestStringsThatTwistedRefusesAreRefused(t *testing.T) {
	python := twistedPython(t)
	for _, s := range []string{`tcp`, `tcp:80:port=90`, `tcp:x`, `tcp:80:interfce=127.0.0.1`, `nosuch:80`, `tcp:80\`} {
		program := fmt.Sprintf("from twisted.internet import endpoints, reactor\nendpoints.serverFromString(reactor, %q)", s)
		if err := exec.Command(python, "-c", program).Run(); err == nil {
			t.Errorf("Twisted takes %q", s)
		}
		if _, err := endpoint.NewServer(s); err == nil {
			t.Errorf("we take %q", s)
		}
	}
}
