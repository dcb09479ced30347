package external

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/epctl/endpoint/external/internal/host"
	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/registry"
)

// PL-12: whatever a program says of itself, it is refused or can be used; nothing panics, and nothing is written to a
// terminal that moves its cursor.
func FuzzDescription(f *testing.F) {
	f.Add(`{"plugins":[{"name":"a","doc":"D.","roles":[{"role":"client","params":[{"name":"p","doc":"d","kind":"text"}]}]}]}`, "a:x:p=y")
	f.Add(`{"plugins":[{"name":"a","roles":[{"role":"server","params":[{"name":"p","kind":"int","bits":8,"default":"x","list":true}]}]}]}`, "a")
	f.Add(`{"plugins":[{"name":"a","roles":[{"role":"resolver","params":[{"name":"p","kind":"client","list":true,"rest":true,"positional":true},{"name":"q","kind":"secret","map":true,"required":true,"enum":["",","]}]}]}]}`, "a:a:a")
	f.Add(`{"plugins":[{"name":"a","roles":[{"role":"packet-client","params":[{"name":"p","kind":"server","map":true,"rest":true,"optional":true,"default":"z"}]}]}]}`, "a:{a}:k={a}")
	f.Add(`{"plugins":[{"name":"a","roles":[{"role":"client","params":[null]}]},null]}`, "a")
	f.Fuzz(func(t *testing.T, description, s string) {
		d := &wire.Description{}
		if protojson.Unmarshal([]byte(description), d) != nil {
			return
		}
		if err := d.Check(); err != nil {
			shown(t, err.Error())
			return
		}
		p := &Program{description: d, options: options{noStart: true}}
		p.keeper = host.NewKeeper(p.start)
		r, err := registry.New(p.makePlugins()...)
		if err != nil {
			return
		}
		for _, plugin := range r.Plugins() {
			shown(t, strings.ReplaceAll(plugin.Markdown(), "\n", ""))
		}
		if _, err := r.Schema(); err != nil {
			t.Error(err)
		}
		r.Complete(s)
		for _, role := range registry.Roles() {
			if _, _, err := r.Build(s, role); err != nil {
				_ = errors.Unwrap(err)
			}
		}
	})
}

func shown(t *testing.T, text string) {
	t.Helper()
	if strings.ContainsAny(text, "\x1b\x00\u009b\u202e") {
		t.Errorf("%q", text)
	}
}
