package external_test

import (
	"testing"

	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/plugins/tcp4"
	"github.com/epctl/endpoint/plugins/udp"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

// What holds for a plugin in the program holds for the same plugin outside of it.
func TestConformance(t *testing.T) {
	for _, tc := range []struct {
		program  string
		examples []string
		beside   []registry.Plugin
	}{
		{"tcp", []string{
			"tcp4:port=0:interface=127.0.0.1 # server",
			"tcp4:127.0.0.1:80 # client",
			`tcp4:port=http:backlog=many # error: "many" is not a decimal number`,
		}, nil},
		{"udp", []string{
			"udp:port=0:interface=127.0.0.1 # packet-server",
			"udp:127.0.0.1:53 # packet-client",
		}, nil},
		{"xor", []string{
			"xor:endpoint={tcp4:port=0:interface=127.0.0.1}:mask=7 # server",
			"xor:tcp4:127.0.0.1:80 # client",
		}, []registry.Plugin{tcp4.Plugin}},
		{"masked", []string{
			"masked:udp:port=0:interface=127.0.0.1 # packet-server",
			"masked:udp:127.0.0.1:53 # packet-client",
		}, []registry.Plugin{udp.Plugin}},
		{"static", []string{
			"static:example.com=192.0.2.1,2001\\:db8\\:\\:1 # resolver",
		}, nil},
	} {
		t.Run(tc.program, func(t *testing.T) {
			p := open(t, tc.program)
			registrytest.Run(t, running(t, p), registrytest.Examples(tc.examples...), registrytest.Beside(tc.beside...),
				registrytest.Without("readme", "it is that of the plugin in the program"),
				registrytest.Without("purity", "the program is asked, over a socket"))
		})
	}
}

// running is the first plugin of a program, once the program runs.
func running(t *testing.T, p *external.Program) registry.Plugin {
	t.Helper()
	if p.PID() == 0 {
		t.Fatal("the program does not run")
	}
	return p.Plugins()[0]
}
