package endpoint_test

import (
	"strings"
	"testing"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/grammar"
)

// Check does not know which role is meant, and tells the faults of the one that the string comes nearest to.
func TestCheckTellsTheFaultsOfTheRoleThatIsMeant(t *testing.T) {
	for s, want := range map[string]string{
		"tcp:99999":                               `99999: port "99999" is above 65535`,
		"tcp: 80":                                 ` 80: " 80" is not a decimal number → 80`,
		"tcp6:port=80:rcvbuf=64G":                 "64G: must be between 1 byte and 1 GiB",
		"tcp6:port=80:tos=5":                      "5: is for IPv4; the same for IPv6 is trafficClass",
		"tcp6:port=80:bindToDevice=a/b":           `a/b: "a/b" can't be the name of an interface`,
		"tcp6:80:50:::1":                          `::1: an address with colons is written [::1] or \:\:1 → [::1]`,
		"tcp6:port:80":                            "port:80: port is the name of a parameter: its value follows an equals sign → port=80",
		"tcp6:port=80:v6only":                     "v6only: v6only is the name of a parameter: its value follows an equals sign → v6only=yes",
		"tcp6:host=example.com:port=80":           `tcp6: tcp6 takes addresses only, and "example.com" is a name: use hostname: → hostname`,
		"tcp6:port=80:interface=[::ffff:1.2.3.4]": "[::ffff:1.2.3.4]: ::ffff:1.2.3.4 is an IPv4 address in IPv6 form; write 1.2.3.4 and use IPv4",
	} {
		var got []string
		for _, e := range grammar.All(endpoint.Check(s)) {
			line := s[e.Start:e.End] + ": " + e.Message
			if e.Fix != "" {
				line += " → " + e.Fix
			}
			got = append(got, line)
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s:\n%s\nwant\n%s", s, strings.Join(got, "\n"), want)
		}
	}
}

// A string of nothing but faults tells the first of them.
func TestCheckTellsSixteenFaultsAtMost(t *testing.T) {
	if n := len(grammar.All(endpoint.Check("tcp6:" + strings.Repeat(":", 200) + "1"))); n != 16 {
		t.Errorf("%d faults are told", n)
	}
}
