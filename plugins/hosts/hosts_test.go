package hosts_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/plugins/hosts"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) { registrytest.Run(t, hosts.Plugin) }

func resolver(t *testing.T, path string) registry.Resolver {
	t.Helper()
	r, err := registry.Must(registry.New(hosts.Plugin)).NewResolver("hosts:file=" + grammar.Quote(path))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLookups(t *testing.T) {
	r := resolver(t, write(t, "192.0.2.1 Db.example db # database\n2001:db8::1 db.example\nfe80::1%eth0 router\n"))
	for _, test := range []struct {
		network, host string
		want          string
		message       string
	}{
		{"ip", "db.example", "192.0.2.1 2001:db8::1", ""},
		{"ip6", "DB.example.", "2001:db8::1", ""},
		{"ip4", "db", "192.0.2.1", ""},
		{"ip6", "db", "", "the name has no IPv6 address"},
		{"ip6", "router", "fe80::1%eth0", ""},
		{"ip", "database", "", "no such host"},
		{"ip", "192.0.2.1", "", "no such host"},
	} {
		addrs, err := r.LookupNetIP(t.Context(), test.network, test.host)
		var dns *net.DNSError
		if texts(addrs) != test.want || (err == nil) != (test.message == "") {
			t.Errorf("%s %s: %v, %v; want %s", test.network, test.host, addrs, err, test.want)
		}
		if err != nil && (!errors.As(err, &dns) || dns.Err != test.message || !dns.IsNotFound || dns.Name != test.host) {
			t.Errorf("%s %s: %v, want %s", test.network, test.host, err, test.message)
		}
	}
}

func texts(addrs []netip.Addr) string {
	var list []string
	for _, a := range addrs {
		list = append(list, a.String())
	}
	return strings.Join(list, " ")
}

// A change of the file counts from the next look-up on; what a caller has got is its own.
func TestTheFileIsReadAgain(t *testing.T) {
	path := write(t, "192.0.2.1 a\n192.0.2.2 a\n")
	r := resolver(t, path)
	for range 2 {
		addrs, err := r.LookupNetIP(t.Context(), "ip", "a")
		if err != nil || texts(addrs) != "192.0.2.1 192.0.2.2" {
			t.Errorf("%v, %v", addrs, err)
		}
		slices.Reverse(addrs)
	}
	if err := os.WriteFile(path, []byte("192.0.2.3 a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if addrs, err := r.LookupNetIP(t.Context(), "ip", "a"); err != nil || texts(addrs) != "192.0.2.3" {
		t.Errorf("%v, %v", addrs, err)
	}
}

// A file that is not there is not taken for a name that is not there, and is looked for only when a name is looked up.
func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	r := resolver(t, path)
	_, err := r.LookupNetIP(t.Context(), "ip", "a.example")
	var dns *net.DNSError
	if !errors.As(err, &dns) || dns.IsNotFound || dns.Name != "a.example" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
	if err := os.WriteFile(path, []byte("192.0.2.1 a.example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if addrs, err := r.LookupNetIP(t.Context(), "ip", "a.example"); err != nil || texts(addrs) != "192.0.2.1" {
		t.Errorf("%v, %v", addrs, err)
	}
}

func TestContextAndNetwork(t *testing.T) {
	r := resolver(t, write(t, "192.0.2.1 a\n"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.LookupNetIP(ctx, "ip", "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	var unknown net.UnknownNetworkError
	if _, err := r.LookupNetIP(t.Context(), "udp", "a"); !errors.As(err, &unknown) {
		t.Errorf("%v, want an unknown network", err)
	}
}
