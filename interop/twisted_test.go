package interop

import (
	"os/exec"
	"testing"

	"github.com/epctl/endpoint"
)

// A pair is two strings that find each other, whoever reads which.
type pair struct{ name, server, client string }

// One string in both worlds: Twisted's clientFromString connects to what we make of the string's server side, and we
// connect to what Twisted's serverFromString makes of it.
func TestStringsMeanTheSameToTwisted(t *testing.T) {
	python := twistedPython(t)
	pairs := []pair{
		{"tcp over IPv4", `tcp:%v:interface=127.0.0.1`, `tcp:127.0.0.1:%v`},
		{"tcp by keys", `tcp:port=%v:interface=127.0.0.1:backlog=10`, `tcp:host=127.0.0.1:port=%v:timeout=10`},
		{"tcp with the host by key only", `tcp:%v:interface=127.0.0.1`, `tcp:%v:host=127.0.0.1`},
		{"tcp by a name", `tcp:%v:interface=127.0.0.1`, `tcp:localhost:%v:bindAddress=127.0.0.1`},
		{"tcp with an IPv6 interface", `tcp:%v:interface=\:\:1`, `tcp:host=\:\:1:port=%v`},
		{"tcp6", `tcp6:port=%v:interface=\:\:1`, `tcp:\:\:1:%v`},
		{"tcp6 by position", `tcp6:%v:20:\:\:1`, `tcp:\:\:1:%v:timeout=5`},
	}
	t.Run("Twisted dials", func(t *testing.T) { twistedDials(t, python, pairs) })
	t.Run("Twisted listens", func(t *testing.T) { twistedListens(t, python, pairs) })
}

// twistedDials listens on all the server strings for one process, since Twisted takes its time to start.
func twistedDials(t *testing.T, python string, pairs []pair) {
	t.Helper()
	command := exec.Command(python, "testdata/twisted_client.py")
	for _, p := range pairs {
		ln := listen(t, with(p.server, 0))
		echoOnce(ln)
		command.Args = append(command.Args, with(p.client, port(ln)))
	}
	out := start(t, command)
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			if got := readLine(t, out); got != "from twisted" {
				t.Errorf("Twisted got %q back", got)
			}
		})
	}
}

// twistedListens has one process listen on all the server strings.
func twistedListens(t *testing.T, python string, pairs []pair) {
	t.Helper()
	command := exec.Command(python, "testdata/twisted_server.py")
	for _, p := range pairs {
		command.Args = append(command.Args, with(p.server, 0))
	}
	out := start(t, command)
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) { pingPong(t, dial(t, with(p.client, readLine(t, out)))) })
	}
}

// What Twisted prints for a string that both refuse is beside the point; that both refuse it is not.
func TestStringsThatTwistedRefusesAreRefused(t *testing.T) {
	python := twistedPython(t)
	const program = `
import sys
from twisted.internet import endpoints, reactor
for s in sys.argv[1:]:
    try:
        endpoints.serverFromString(reactor, s)
        print("taken")
    except Exception:
        print("refused")
`
	refused := []string{`tcp`, `tcp:80:port=90`, `tcp:x`, `tcp:80:interfce=127.0.0.1`, `nosuch:80`, `tcp:80\`}
	out := start(t, exec.Command(python, append([]string{"-c", program}, refused...)...))
	for _, s := range refused {
		if got := readLine(t, out); got != "refused" {
			t.Errorf("Twisted takes %q: %s", s, got)
		}
		if _, err := endpoint.NewServer(s); err == nil {
			t.Errorf("we take %q", s)
		}
	}
}
