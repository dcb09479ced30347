package compress_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	compress "example.com/plugin-compress"
	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/plugins/tcp"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

// The same value passes the same suite, in the application and in a program of its own.
func TestConformance(t *testing.T) {
	registrytest.Run(t, compress.Plugin, registrytest.Beside(tcp.Plugin))
}

func TestConformanceOutside(t *testing.T) {
	registrytest.Run(t, outside(t), registrytest.Beside(tcp.Plugin),
		registrytest.Without("purity", "the program is asked, over a socket"))
}

// outside builds the program and opens it.
func outside(t *testing.T) registry.Plugin {
	t.Helper()
	path := filepath.Join(t.TempDir(), "endpoint-plugin-compress")
	if out, err := exec.Command("go", "build", "-o", path, "./endpoint-plugin-compress").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := external.Open(path, external.AllowUnlocked())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return program.Plugins()[0]
}
