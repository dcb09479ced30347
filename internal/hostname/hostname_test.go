package hostname_test

import (
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/hostname"
)

// HE-10: literals, zones, local names, a trailing dot and internationalised names.
func TestHostsAreReadInTheFormInWhichTheyAreLookedUp(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1":              "192.0.2.1",
		"2001:db8::1":            "2001:db8::1",
		"fe80::1%eth0":           "fe80::1%eth0",
		"localhost":              "localhost",
		"printer.local":          "printer.local",
		"example.com.":           "example.com.",
		"EXAMPLE.com":            "example.com",
		"bücher.example":         "xn--bcher-kva.example",
		"faß.example":            "xn--fa-hia.example",
		"日本語。jp":                 "xn--wgv71a119e.jp",
		"xn--bcher-kva.example":  "xn--bcher-kva.example",
		"_ldap._tcp.example.com": "_ldap._tcp.example.com",
	} {
		host, err := hostname.Parse(text)
		if err != nil || host.Name != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", text, host.Name, err, want)
		}
	}
}

func TestWhatIsNoHostIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "is empty",
		"a b":                                "stands in no name",
		"a..b":                               "empty part",
		".":                                  "root of the names",
		"[::1]":                              "neither an address nor a name",
		"example.com:80":                     "neither an address nor a name",
		"http://example.com":                 "neither an address nor a name",
		"127.1":                              "four decimal numbers",
		"0x7f.0.0.1":                         "four decimal numbers",
		"127.0.0.0x1":                        "four decimal numbers",
		"2130706433":                         "four decimal numbers",
		"1.2.3.4.5":                          "four decimal numbers",
		strings.Repeat("a", 64):              "at most 63",
		strings.Repeat("abcdefg.", 32) + "x": "at most 253",
		"xn--a.example":                      "not a name of a host",
		"a;b":                                "stands in no name",
	} {
		if host, err := hostname.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, %v; want an error with %q", text, host, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("bücher.example")
	f.Add("fe80::1%eth0")
	f.Fuzz(func(t *testing.T, text string) {
		host, err := hostname.Parse(text)
		if err != nil {
			return
		}
		again, err := hostname.Parse(host.Name)
		if err != nil || again.Name != host.Name {
			t.Fatalf("%q gives %q, which gives %q, %v", text, host.Name, again.Name, err)
		}
	})
}
