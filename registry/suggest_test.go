package registry_test

import (
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

func TestDistanceCountsSlipsOfThePen(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"port", "port", 0}, {"prt", "port", 1}, {"porrt", "port", 1}, {"part", "port", 1}, {"prot", "port", 1},
		{"prto", "port", 2}, {"ca", "abc", 3}, {"ab", "ba", 1}, {"пор", "порт", 1}, {"abcdef", "port", 4}, {"a", "port", 3},
		{"longer by far", "port", 3},
	} {
		if got := registry.Distance(tt.a, tt.b); got != tt.want && (got < 3 || tt.want < 3) {
			t.Errorf("%q and %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if registry.Distance(tt.a, tt.b) != registry.Distance(tt.b, tt.a) {
			t.Errorf("%q and %q: not the same in both directions", tt.a, tt.b)
		}
	}
}

// PA-06: what is too far is not suggested, and a short word is not like any other.
func TestNearMissesAreSuggested(t *testing.T) {
	for in, want := range map[string]string{
		"tpc": "tcp", "tcp66": "tcp6", "Tcp7": "tcp", "hostnmae": "hostname", "hstname": "hostname", "hostnam3s": "hostname",
		"x": "", "ab": "", "xyz": "", "hostgame5x": "", letters(500): "",
	} {
		_, err := fakes().Roles(in + ":80")
		fix := ""
		for _, e := range grammar.All(err) {
			if strings.Contains(e.Message, "did you mean") {
				fix = e.Fix
			}
		}
		if fix != want {
			t.Errorf("%.20q: %q is suggested, want %q", in, fix, want)
		}
	}
}
