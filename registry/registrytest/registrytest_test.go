package registrytest_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

const loopExamples = `loop:port=0:interface=127.0.0.1  # server, packet-server
loop:host=127.0.0.1:port=80      # client: a remark
loop:127.0.0.1:80                # packet-client
loop:host=127.0.0.1:port=80:tries=4  # error: is more than 3`

// loopREADME is right for what newLoop makes.
func loopREADME(p registry.Plugin) string {
	return strings.NewReplacer("TABLE", p.Markdown(), "EXAMPLES", loopExamples, "~~~", "```").Replace(`# loop

## Name

loop - sockets of package net

## Description

Text.

## Parameters

<!-- parameters:begin -->

TABLE
<!-- parameters:end -->

## Examples

~~~endpoint
# a comment
EXAMPLES
~~~

## Errors

~~~caret
loop:host=127.0.0.1:port=99999
                         ^^^^^ port "99999" is above 65535
~~~

## See also

loop(7)
`)
}

// inFolder changes to a directory that has just a README.
func inFolder(t *testing.T, readme string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("README.md", []byte(readme), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAGoodPluginPasses(t *testing.T) {
	p := newLoop().plugin
	inFolder(t, loopREADME(p))
	registrytest.Run(t, p)
}

func TestAWrapperPassesWithExamplesInsteadOfAREADME(t *testing.T) {
	t.Chdir(t.TempDir())
	registrytest.Run(t, wrapper(),
		registrytest.Beside(newLoop().plugin),
		registrytest.Examples(
			"wrap:endpoint={loop:host=127.0.0.1:port=80} # client",
			"wrap:loop:port=0:interface=127.0.0.1 # server",
			"wrap:endpoint={loop:port=0:interface=[::1]} # server",
		))
}

// What only nettest sees is not seen then.
func TestServersThatAreTriedLessAreNotTriedByNettest(t *testing.T) {
	l := newLoop()
	l.accepted = func(c net.Conn) net.Conn { return lateConn{c} }
	inFolder(t, loopREADME(l.plugin))
	registrytest.Run(t, l.plugin, registrytest.Servers(0))
}

// A client alone is tried against a listener of package net.
func TestAClientWithoutServerPasses(t *testing.T) {
	t.Chdir(t.TempDir())
	p := newLoop().plugin
	p.Server, p.PacketClient, p.PacketServer = nil, nil, nil
	registrytest.Run(t, p, registrytest.Examples("loop:host=127.0.0.1:port=80 # client"))
}

func TestServersThatAreNotOnIPPassWithLiveAndClientFor(t *testing.T) {
	t.Chdir(t.TempDir())
	type options struct {
		Path string `ep:"path,required" doc:"socket"`
	}
	p := registry.Plugin{
		Name: "local", Doc: "Local sockets.",
		Client: registry.For(func(o options) (registry.Client, error) {
			return dialFunc(func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", o.Path)
			}), nil
		}),
		Server: registry.For(func(o options) (registry.Server, error) {
			return listenFunc(func(ctx context.Context) (net.Listener, error) {
				_ = os.Remove(o.Path) // of the last time
				return new(net.ListenConfig).Listen(ctx, "unix", o.Path)
			}), nil
		}),
	}
	path := filepath.Join(t.TempDir(), "s")
	registrytest.Run(t, p,
		registrytest.Examples("local:/run/x # client", "local:"+path+" # server"),
		registrytest.Live("local:"+path),
		registrytest.ClientFor(func(server string, _ net.Addr) string { return server }),
		registrytest.Without("conn", "several pairs at once would share one path"))
}

func TestAResolverAndAClientWithAPipePass(t *testing.T) {
	t.Chdir(t.TempDir())
	p := registry.Plugin{
		Name: "memory", Doc: "Nothing but memory.",
		Client: registry.For(func(struct{}) (registry.Client, error) {
			return dialFunc(func(ctx context.Context) (net.Conn, error) { return nil, ctx.Err() }), nil
		}),
		Resolver: registry.For(func(struct{}) (registry.Resolver, error) {
			return resolverFunc(func(ctx context.Context) ([]netip.Addr, error) { return nil, ctx.Err() }), nil
		}),
	}
	registrytest.Run(t, p,
		registrytest.Examples("memory # client, resolver"),
		registrytest.Pipe(func() (net.Conn, net.Conn, func(), error) {
			c1, c2 := net.Pipe()
			return c1, c2, func() { _, _ = c1.Close(), c2.Close() }, nil
		}))
}

func TestUpdateWritesTheTables(t *testing.T) {
	p := newLoop().plugin
	want := loopREADME(p)
	stale := strings.Replace(want, "what the peer wants", "what it wants", 1)
	inFolder(t, stale)
	for range 2 { // the second time nothing is left to do
		if err := registrytest.Update("README.md", p); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile("README.md"); string(got) != want {
			t.Fatalf("Update makes\n%s", got)
		}
	}
}

func TestUpdateRefusesAREADMEWithoutMarkers(t *testing.T) {
	for _, readme := range []string{"", "<!-- parameters:begin -->\n", "<!-- parameters:end -->\n<!-- parameters:begin -->\n"} {
		inFolder(t, readme)
		if err := registrytest.Update("README.md", newLoop().plugin); err == nil {
			t.Errorf("Update of %q succeeds", readme)
		}
	}
	if err := registrytest.Update("missing", newLoop().plugin); err == nil {
		t.Error("Update of a file that is missing succeeds")
	}
}
