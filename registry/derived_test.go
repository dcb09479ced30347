package registry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/registry"
)

// golden compares what was made with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is made now (write it by -update):\n%s", path, got)
	}
}

func TestMarkdownTellsTheParameters(t *testing.T) {
	var b strings.Builder
	for _, p := range fakes().Plugins() {
		fmt.Fprintf(&b, "# %s\n\n%s\n", p.Name, p.Markdown())
	}
	golden(t, "testdata/parameters.md", b.String())
}

func TestMarkdownIsNotBrokenByItsTexts(t *testing.T) {
	p := registry.Plugin{Name: "x", Doc: "X.", Client: registry.For(func(struct {
		A string `ep:"a" default:"a|b" doc:"one | two, <b>, *x*, a\\b\nand more"`
		B string `ep:"b" default:"" enum:"x,y|z" doc:"which"`
		C string "ep:\"c\" default:\"`\" doc:\"a `tick`\""
	}) (registry.Client, error) {
		return nil, nil
	})}
	for _, line := range strings.Split(p.Markdown(), "\n") {
		bars := len(regexp.MustCompile(`(^|[^\\])\|`).FindAllString(line, -1))
		if bars != 0 && bars != 5 {
			t.Errorf("%d cells in %s", bars-1, line)
		}
	}
	if got := p.Markdown(); !strings.Contains(got, "| `a` | text | `a\\|b` | one \\| two, \\<b>, \\*x\\*, a\\\\b and more |") {
		t.Error(got)
	}
}

// Roles with the same parameters share a table.
func TestMarkdownJoinsRoles(t *testing.T) {
	p := registry.Plugin{Name: "x", Doc: "X.", Client: client[tcpServer](), Server: server[tcpServer](), PacketClient: packetClient[tcp6Client](),
		PacketServer: packetServer[struct{}]()}
	got := regexp.MustCompile("(?m)^###.*").FindAllString(p.Markdown(), -1)
	if fmt.Sprint(got) != "[### Stream client, stream server ### Datagram client ### Datagram server]" {
		t.Error(got)
	}
}

func schema(t *testing.T, r *registry.Registry) []byte {
	t.Helper()
	b, err := r.Schema()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSchemaIsDeterministic(t *testing.T) {
	first := schema(t, fakes())
	all := plugins()
	for range 20 {
		slices.Reverse(all)
		if again := schema(t, registry.Must(registry.New(all...))); !bytes.Equal(first, again) {
			t.Fatal("two schemas of one registry differ")
		}
	}
	golden(t, "testdata/schema.json", string(first))
}

func TestSchemaOfNothing(t *testing.T) {
	var v any
	if err := json.Unmarshal(schema(t, new(registry.Registry)), &v); err != nil {
		t.Error(err)
	}
}

// Each line is a role, whether it is valid, and an endpoint as a config file may have it.
func TestSchemaAcceptsEndpointsAsStringsAndObjects(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(schema(t, fakes()), &root); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(`
client  valid "tcp:a:80"
client  wrong ""
client  wrong 80
client  wrong null
client  wrong {}
client  valid {"bare": {}}
client  wrong {"bare": null}
client  wrong {"bare": {"x": 1}}
client  wrong {"bare": {}, "tcp": {"host": "a", "port": 80}}
client  wrong {"frobnicate": {}}
client  wrong {"unix": {"path": "/x"}}
server  valid {"unix": {"path": "/x"}}
server  valid {"unix": {"path": "/x", "mode": "660"}}
server  wrong {"unix": {"path": "/x", "mode": 660}}
server  wrong {"unix": {"path": "/x", "mode": "888"}}
server  valid {"tcp": {"port": 80}}
server  valid {"tcp": {"port": "https"}}
server  valid {"tcp": {"port": "80"}}
server  wrong {"tcp": {"port": 65536}}
server  wrong {"tcp": {"port": -1}}
server  wrong {"tcp": {"port": 80.5}}
server  wrong {"tcp": {"port": true}}
server  wrong {"tcp": {}}
server  wrong {"tcp": {"port": 80, "prot": 80}}
server  wrong {"tcp": {"port": 80, "backlog": "50"}}
server  valid {"tcp": {"port": 80, "backlog": -50}}
client  valid {"tcp": {"host": "a", "port": 80, "timeout": 30}}
client  valid {"tcp": {"host": "a", "port": 80, "timeout": 1.5}}
client  valid {"tcp": {"host": "a", "port": 80, "timeout": "250ms"}}
client  wrong {"tcp": {"host": "a", "port": 80, "timeout": -1}}
client  wrong {"tcp": {"host": "a", "port": 80, "timeout": "soon"}}
client  valid {"tcp6": {"host": "::1", "port": 80, "tries": 127, "nodelay": true, "mark": 255}}
client  wrong {"tcp6": {"host": "::1", "port": 80, "tries": 128}}
client  wrong {"tcp6": {"host": "::1", "port": 80, "mark": 256}}
client  valid {"tcp6": {"host": "::1", "port": 80, "nodelay": "yes"}}
client  wrong {"tcp6": {"host": "::1", "port": 80, "nodelay": "maybe"}}
client  wrong {"tcp6": {"host": "::1", "port": 80, "nodelay": 1}}
client  valid {"starttls": {"endpoint": {"tcp6": {"host": "::1", "port": 25}}, "proto": "smtp"}}
client  valid {"starttls": {"endpoint": "tcp6:[::1]:25", "proto": "smtp"}}
client  wrong {"starttls": {"endpoint": {"udp": {"host": "::1", "port": 25}}, "proto": "smtp"}}
client  wrong {"starttls": {"endpoint": {"tcp6": {"host": "::1"}}, "proto": "smtp"}}
client  wrong {"starttls": {"endpoint": "tcp6:[::1]:25", "proto": "smpt"}}
client  wrong {"starttls": {"proto": "smtp"}}
client  valid {"starttls": {"endpoint": {"starttls": {"endpoint": "tcp:a:80", "proto": "imap"}}, "proto": "smtp"}}
client  valid {"chain": {"endpoint": ["tcp:a:80", {"tcp": {"host": "b", "port": 80}}]}}
client  wrong {"chain": {"endpoint": "tcp:a:80"}}
client  wrong {"chain": {"endpoint": ["tcp:a:80", {"udp": {}}]}}
server  valid {"haproxy": {"endpoint": {"tcp": {"port": 80}}, "trusted": ["192.0.2.0/24"]}}
server  valid {"haproxy": {"endpoint": "tcp:80", "trusted": "192.0.2.0/24,::/0"}}
resolver valid {"static": {"db.example": ["192.0.2.1"], "ttl": 5, "www.example": "192.0.2.2"}}
resolver wrong {"static": {"ttl": 5, "www.example": 7}}
resolver wrong {"static": {}}
client  valid {"hostname": {"host": "a", "port": 80, "resolver": {"static": {"a": "192.0.2.1"}}}}
client  valid {"login": {"password": "env:PASSWORD", "spare": ["env:A", "env:B"]}}
client  valid {"all": {"text": "", "bool": false, "int": -7, "uint64": 18446744073709551615, "size": "64K", "enum": "two", "ints": [1, 2], "pointer": 3, "a": 1}}
client  valid {"all": {"size": 4096, "ints": "1,2", "enums": ["one"]}}
client  wrong {"all": {"size": "64T"}}
client  wrong {"all": {"size": -1}}
client  wrong {"all": {"uint": -1}}
client  wrong {"all": {"enums": ["three"]}}
client  wrong {"all": {"a": "b"}}
`), "\n") {
		role, rest, _ := strings.Cut(line, " ")
		verdict, document, _ := strings.Cut(strings.TrimSpace(rest), " ")
		var v any
		if err := json.Unmarshal([]byte(document), &v); err != nil {
			t.Fatalf("%s: %v", document, err)
		}
		s := map[string]any{"$ref": "#/$defs/" + role}
		if err := validate(root, s, v, "$"); (err == nil) != (verdict == "valid") {
			t.Errorf("%s is not %s: %v", document, verdict, err)
		}
		if err := validate(root, root, v, "$"); verdict == "valid" && err != nil {
			t.Errorf("%s is no endpoint of any role: %v", document, err)
		}
	}
}

// The defaults of a schema must be valid by it, and each reference must lead somewhere.
func TestSchemaDefaultsAreValid(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(schema(t, fakes()), &root); err != nil {
		t.Fatal(err)
	}
	n := 0
	walk(root, func(s map[string]any) {
		if ref, ok := s["$ref"].(string); ok && resolve(root, ref) == nil {
			t.Errorf("%s leads nowhere", ref)
		}
		if d, ok := s["default"]; ok {
			n++
			if err := validate(root, s, d, "$"); err != nil {
				t.Errorf("the default %v: %v", d, err)
			}
		}
	})
	if n < 20 {
		t.Errorf("only %d defaults", n)
	}
}
