package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// The golden file is a txtar archive: the name of a file is a string that is being typed, behind it roles in brackets if
// not any will do; its lines are the candidates, behind the first tab of each what it is.
func TestCandidates(t *testing.T) {
	const path = "testdata/complete.txtar"
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range archive.Files {
		file := &archive.Files[i]
		partial, roles, _ := strings.Cut(strings.TrimSuffix(file.Name, ")"), " (")
		var b strings.Builder
		for _, c := range fakes().Complete(strings.Trim(partial, "'"), rolesOf(roles)...) {
			fmt.Fprintf(&b, "%s\t%s\n", c.Text, c.Doc)
		}
		if b.String() != string(file.Data) && !*update {
			t.Errorf("%s\n got\n%swant\n%s", partial, b.String(), file.Data)
		}
		file.Data = []byte(b.String())
	}
	if *update {
		golden(t, path, string(txtar.Format(archive)))
	}
}

func rolesOf(words string) (roles []registry.Role) {
	for word := range strings.FieldsSeq(words) {
		roles = append(roles, registry.Role(word))
	}
	return roles
}

// Whatever is typed of a right string, going on with it is offered: typing it again by candidates gets to its end.
func TestEachStepOfAStringIsOffered(t *testing.T) {
	for _, in := range []string{
		"starttls:endpoint={tcp:port=", "chain:wait=", "haproxy:tcp:port=", "haproxy:haproxy:tcp:interface=",
		"starttls:proto=imap", "starttls:{starttls:proto=", "hostname:resolver={static:ttl=", "login:endpoint={chain:endpoint={tcp6:flowLabel=",
		"tcp6:nodelay=yes", "all:enums=one,two", "udp:port=https",
	} {
		for at, before := 0, ""; before != in; at++ {
			next := ""
			for _, c := range fakes().Complete(before) {
				if strings.HasPrefix(in, c.Text) && len(c.Text) > len(next) {
					next = c.Text
				}
			}
			if len(next) <= len(before) { // what is free must be typed
				next = in[:len(before)+1]
				if c := next[len(before)]; !strings.ContainsRune(":{,h", rune(c)) {
					t.Fatalf("%q: nothing offers what follows %q", in, before)
				}
			}
			if before = next; at > 20 {
				t.Fatalf("%q: no end", in)
			}
		}
	}
}

// A candidate goes on with what was typed, and is no worse.
func TestCandidatesGoOnWithWhatWasTyped(t *testing.T) {
	for _, in := range []string{"tcp:a:80", "starttls:{tcp6:[::1]:80:nodelay=yes}:proto=smtp", "haproxy:trusted=192.0.2.0/24:tcp:80", "all:enums=one,two:bool=yes"} {
		for end := range len(in) + 1 {
			partial := in[:end]
			for _, c := range fakes().Complete(partial) {
				d, _ := grammar.Parse(c.Text)
				if d == nil || !strings.HasPrefix(strings.ToLower(c.Text), strings.ToLower(partial)) && !strings.HasSuffix(partial, "=") {
					t.Errorf("%q is offered for %q", c.Text, partial)
				}
			}
		}
	}
}

func TestNothingIsOfferedWhereNothingIsKnown(t *testing.T) {
	for _, in := range []string{
		"frobnicate:", "tcp:a:80:nothing=", "tcp:a:80:x=y:", "{", "starttls:endpoint={tcp:a:80}", "tcp:a:80:timeout=", "tcp:[a",
		`tcp:a\`, strings.Repeat("{", 17), letters(9000), "tcp:a:80:host=b:", "static:a=192.0.2.1:b=", "static:b=",
		"login:password=", "unix:path=a:path=", "starttls:proto={",
	} {
		if c := fakes().Complete(in); len(c) > 0 {
			t.Errorf("%.40q: %v", in, c)
		}
	}
}
