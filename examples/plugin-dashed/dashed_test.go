package dashed_test

import (
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"testing"

	dashed "example.com/plugin-dashed"
	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

// The same value passes the same suite, in the application and in a program of its own.
func TestConformance(t *testing.T) {
	registrytest.Run(t, dashed.Plugin)
}

func TestConformanceOutside(t *testing.T) {
	registrytest.Run(t, outside(t),
		registrytest.Without("purity", "the program is asked, over a socket"))
}

// outside builds the program and opens it.
func outside(t *testing.T) registry.Plugin {
	t.Helper()
	path := filepath.Join(t.TempDir(), "endpoint-plugin-dashed")
	if out, err := exec.Command("go", "build", "-o", path, "./endpoint-plugin-dashed").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := external.Open(path, external.AllowUnlocked())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return program.Plugins()[0]
}

func TestNames(t *testing.T) {
	for name, plugin := range map[string]registry.Plugin{"inside": dashed.Plugin, "outside": outside(t)} {
		r, err := registry.Must(registry.New(plugin)).NewResolver("dashed:test")
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct{ network, host, want string }{
			{"ip", "192-0-2-1.test", "192.0.2.1"},
			{"ip4", "192-0-2-1.TEST.", "192.0.2.1"},
			{"ip6", "2001-db8--1.test", "2001:db8::1"},
			{"ip6", "192-0-2-1.test", ""},
			{"ip", "www.test", ""},
			{"ip", "192-0-2-1.example", ""},
			{"ip", "test", ""},
		} {
			addrs, err := r.LookupNetIP(t.Context(), tc.network, tc.host)
			var dns *net.DNSError
			switch {
			case tc.want == "" && (!errors.As(err, &dns) || !dns.IsNotFound):
				t.Errorf("%s: %s as %s: %v, %v", name, tc.host, tc.network, addrs, err)
			case tc.want != "" && (len(addrs) != 1 || addrs[0].String() != tc.want):
				t.Errorf("%s: %s as %s: %v, %v", name, tc.host, tc.network, addrs, err)
			}
		}
	}
}
