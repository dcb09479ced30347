package registry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// chattyLogin and chattyVault have the parameters of login and vault, and tell all that they know.
type (
	chattyLogin struct{ loginClient }
	chattyVault struct{ vaultClient }
	chatty      struct{ said []*registry.Fault }
)

func (chatty) Dial(context.Context) (net.Conn, error) { return nil, nil }

func (c chatty) Inspect(context.Context) (list []registry.Finding) {
	for _, f := range c.said {
		list = append(list, registry.Finding{Fault: *f, Level: registry.LevelNote})
	}
	return list
}

// tell says the value of a secret about each of some parameters, in all the ways that there are.
func tell(s registry.Secret, params ...string) (list []*registry.Fault) {
	text, _ := s.Reveal(context.Background())
	for _, param := range append(params, "", "missing") {
		f := registry.Bad(param, "%w", fmt.Errorf("%q, which is %s", text, text))
		list = append(list, f.WithFix(text).With(params...))
	}
	return append(list, registry.Bad(params[0], "is %s", grammar.Quote(text)).UsePlugin("tcp"))
}

func (o chattyLogin) Warnings() []*registry.Fault {
	list := tell(o.Password, "password", "user", "endpoint")
	for _, s := range o.Spare {
		list = append(list, tell(s, "spare")...)
	}
	return list
}

func (o chattyVault) Warnings() []*registry.Fault {
	list := tell(o.Key, "key", "user")
	for _, s := range o.Tokens {
		list = append(list, tell(s, "tokens")...)
	}
	return list
}

func chatterboxes() *registry.Registry {
	list := slices.DeleteFunc(plugins(), func(p registry.Plugin) bool { return p.Name == "login" || p.Name == "vault" })
	return registry.Must(registry.New(append(list,
		registry.Plugin{Name: "login", Doc: "A password.", Client: registry.For(func(o chattyLogin) (registry.Client, error) {
			return chatty{o.Warnings()}, nil
		})},
		registry.Plugin{Name: "vault", Doc: "Keys.", Client: registry.For(func(o chattyVault) (registry.Client, error) {
			return chatty{o.Warnings()}, nil
		})},
	)...))
}

// Whatever plugins say when they warn and inspect, wherever a secret stands: it is not seen, and all has its place.
func TestWarningsAndFindingsShowNoSecretOfRandomStrings(t *testing.T) { // PA-08
	r, boxes, said := rand.New(rand.NewPCG(7, 8)), chatterboxes(), 0
	for range 2000 {
		secret := []string{"hunter22", `back\slash`, "with space", "k%y-of-a=b", "pass:word1"}[r.IntN(5)]
		s := secretive(r, r.IntN(4))
		s = strings.ReplaceAll(s, mark, grammar.QuoteKey(secret))
		_, layer, err := boxes.Build(s, registry.RoleClient)
		if err != nil {
			continue // escaped too little for its depth
		}
		var all []*grammar.Error
		layer.Walk(func(l *registry.Layer, _ int) { all = append(all, l.Warnings...) })
		found := layer.Inspect(t.Context())
		encoded, _ := json.Marshal(found)
		for _, i := range found {
			all = append(all, i.Error)
			checkHidden(t, s, secret, i.Message)
		}
		for _, e := range all {
			checkPlaces(t, s, e)
			checkHidden(t, s, secret, fmt.Sprintf("%+v %v %+v %s %s %s", *e, e, e.Err, e.Fix, e.Caret(), encoded))
		}
		said += len(all)
	}
	if said < 10_000 {
		t.Errorf("only %d warnings and findings were seen", said)
	}
}

func checkHidden(t *testing.T, s, secret, shown string) {
	t.Helper()
	for _, form := range []string{secret, grammar.Quote(secret), fmt.Sprintf("%q", secret)} {
		if i := strings.Index(shown, strings.Trim(form, `"`)); i >= 0 {
			t.Fatalf("%s: the secret is shown: %s", s, shown[max(0, i-40):min(len(shown), i+40)])
		}
	}
}
