package static_test

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/plugins/static"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) { registrytest.Run(t, static.Plugin) }

var plugins = registry.Must(registry.New(static.Plugin))

func TestLookups(t *testing.T) {
	r, err := plugins.NewResolver("static:Db.Example=[192.0.2.1,2001:db8::1,192.0.2.1]:v4.example.=192.0.2.2:zone=[fe80::1%eth0]:xn--bcher-kva.example=[::ffff:192.0.2.3]:name=192.0.2.4")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		network, host string
		want          string
		message       string
	}{
		{"ip", "db.example", "192.0.2.1 2001:db8::1", ""},
		{"ip6", "DB.EXAMPLE.", "2001:db8::1", ""},
		{"ip4", "db.example", "192.0.2.1", ""},
		{"ip4", "v4.example", "192.0.2.2", ""},
		{"ip6", "v4.example", "", "the name has no IPv6 address"},
		{"ip6", "zone", "fe80::1%eth0", ""},
		{"ip4", "xn--bcher-kva.example", "192.0.2.3", ""},
		{"ip", "name", "192.0.2.4", ""},
		{"ip", "www.db.example", "", "no such host"},
		{"ip", "example", "", "no such host"},
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

// Callers may change what they get.
func TestResultsAreTheCallers(t *testing.T) {
	r, err := plugins.NewResolver("static:a=[192.0.2.1,192.0.2.2]")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		addrs, err := r.LookupNetIP(t.Context(), "ip", "a")
		if err != nil || texts(addrs) != "192.0.2.1 192.0.2.2" {
			t.Errorf("%v, %v", addrs, err)
		}
		slices.Reverse(addrs)
	}
}

func TestRefusals(t *testing.T) {
	for s, want := range map[string][]string{
		"static:a=":                            {`"a" has no address`},
		"static:a=[]":                          {`"a" has no address`},
		"static:a=192.0.2.1:A.=[::1]":          {"a is given twice"},
		"static:a..b=192.0.2.1":                {`"a..b" has an empty part between two dots`},
		"static:x=1.2.3.4:a..b=[::1]:..=[::1]": {`".." has an empty part between two dots`, `"a..b" has an empty part between two dots`},
		"static:192.0.2.1=192.0.2.2":           {`"192.0.2.1" is an address: the name goes first, as in example.com=192.0.2.1`},
	} {
		_, err := plugins.NewResolver(s)
		var got []string
		for _, e := range grammar.All(err) {
			got = append(got, e.Message)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
	for _, s := range []string{"static", "static:192.0.2.1", "static:a=b", "static:a=192.0.2.1,", "static:a=192.0.2.1:a=[::1]"} {
		if _, err := plugins.NewResolver(s); err == nil {
			t.Errorf("%s is taken", s)
		}
	}
}
