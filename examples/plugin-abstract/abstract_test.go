package abstract_test

import (
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	abstract "example.com/plugin-abstract"
	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

// The same value passes the same suite, in the application and in a program of its own.
func TestConformance(t *testing.T) {
	registrytest.Run(t, abstract.Plugin, live()...)
}

func TestConformanceOutside(t *testing.T) {
	registrytest.Run(t, outside(t), append(live(),
		registrytest.Without("purity", "the program is asked, over a socket"))...)
}

// live is a server whose name the system makes, and its client.
func live() []registrytest.Option {
	return []registrytest.Option{
		registrytest.Live("abstract"),
		registrytest.ClientFor(func(_ string, addr net.Addr) string { return "abstract:" + strings.TrimPrefix(addr.String(), "@") }),
	}
}

// outside builds the program and opens it.
func outside(t *testing.T) registry.Plugin {
	t.Helper()
	path := filepath.Join(t.TempDir(), "endpoint-plugin-abstract")
	if out, err := exec.Command("go", "build", "-o", path, "./endpoint-plugin-abstract").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := external.Open(path, external.AllowUnlocked())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return program.Plugins()[0]
}
