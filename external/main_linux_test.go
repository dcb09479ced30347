package external_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/external/internal/contract"
	"github.com/epctl/endpoint/registry"
)

// The plugins' programs are this test itself under other names.
func TestMain(m *testing.M) {
	name, isPlugin := strings.CutPrefix(filepath.Base(os.Args[0]), "endpoint-plugin-")
	if isPlugin {
		program(name)
		return
	}
	if path := os.Getenv(applicationVariable); path != "" {
		application(path)
	}
	goleak.VerifyTestMain(m)
}

func program(name string) {
	if plugins, ok := programs()[name]; ok {
		external.Serve(plugins...)
	}
	if os.Getenv(contract.Cookie) != "" {
		hostile(name)
	}
	os.Exit(3)
}

// install makes a program of the given name in a directory of its own, without locking it.
func install(t testing.TB, name string) string {
	t.Helper()
	return installIn(t, t.TempDir(), name)
}

func installIn(t testing.TB, dir, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "endpoint-plugin-"+name)
	if err := os.Link(self, path); err == nil {
		return path
	}
	in, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	return path
}

// open installs a program and opens it without a lock.
func open(t testing.TB, name string, opts ...external.Option) *external.Program {
	t.Helper()
	p, err := external.Open(install(t, name), append(opts, external.AllowUnlocked())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// registryOf is a registry of a program's plugins, and of those beside them.
func registryOf(t testing.TB, p *external.Program, beside ...registry.Plugin) *registry.Registry {
	t.Helper()
	r, err := registry.New(append(beside, p.Plugins()...)...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
