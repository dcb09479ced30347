package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// mark stands for the secret in a string that is being made.
const mark = "\ue000"

// secretive returns a description with a secret in it, at a random place, nested to a random depth.
func secretive(r *rand.Rand, depth int) string {
	s := []string{
		"login:password=" + mark,
		"login:user=me:password=" + mark,
		"login:password=" + mark + ":user=me",
		"login:endpoint={tcp:a:80}:user=me:password=" + mark,
		"login:{tcp:a:80}:me:" + mark,
		"LOGIN:spare=" + mark,
		"login:spare=[env:X," + mark + "]",
		"password=" + mark + ":login",
		"vault:me:" + mark,
		"vault:user=me:key=" + mark,
		"vault:key=" + mark + ":me:realm=[env:X]",
		"login:password=[text:" + mark + "]",
	}[r.IntN(12)]
	for ; depth > 0; depth-- {
		s = nest(r, s)
	}
	return s
}

func nest(r *rand.Rand, s string) string {
	switch r.IntN(8) {
	case 0:
		return "starttls:endpoint={" + s + "}:proto=smtp"
	case 1:
		return "starttls:{" + s + "}:imap"
	case 2:
		return "chain:{tcp:a:80}:{" + s + "}"
	case 3:
		return "chain:{" + s + "}:{tcp6:[::1]:80}"
	case 4:
		return "login:{" + s + "}"
	case 5:
		return "starttls:proto=smtp:endpoint=" + grammar.QuoteKey(s)
	case 6:
		return "chain:endpoint=" + grammar.QuoteKey(s)
	}
	if strings.Contains(s, "]") {
		return "login:endpoint={" + s + "}"
	}
	return "login:endpoint=[" + s + "]"
}

// spoil makes a mistake that people make, somewhere outside of the secret: a word is misspelled, syntax is missing or too
// much, there are fields too many, or the end is missing.
func spoil(r *rand.Rand, s string) string {
	const syntax, letters = `:={}[]\`, "abcxyz019-"
	runes := []rune(s)
	i := r.IntN(max(1, len(runes)))
	if s == "" || string(runes[i]) == mark {
		return s
	}
	before, c, after := string(runes[:i]), string(runes[i]), string(runes[i+1:])
	isSyntax := strings.Contains(syntax, c)
	another := string(letters[r.IntN(len(letters))])
	if isSyntax {
		another = string(syntax[r.IntN(len(syntax))])
	}
	switch r.IntN(8) {
	case 0:
		return before + after
	case 1:
		return before + c + c + after
	case 2:
		return before + another + c + after
	case 3:
		return before + another + after
	case 4:
		if isSyntax {
			return before + ":colour=red" + c + after
		}
		return before + strings.ToUpper(c) + after
	case 5:
		return before // cut off
	}
	return s + ":" + []string{"more", "x=y", "user=you", "password=" + mark, "{tcp:a:80}", "{tcp:a", "port=80", "spare=" + mark}[r.IntN(8)]
}

// stands reports whether what is before each secret tells it from the word before: where both a colon and an equals sign
// are lost, nobody can.
func stands(s string) bool {
	parts := strings.Split(s, mark)
	for _, before := range parts[:len(parts)-1] {
		if before == "" || !strings.ContainsAny(before[len(before)-1:], ":=[{,") {
			return false
		}
	}
	return true
}

// randomSecret is one that a person could have, with characters that are syntax only if they will be quoted.
func randomSecret(r *rand.Rand, alphabet string) string {
	var b strings.Builder
	for range 8 + r.IntN(60) {
		b.WriteByte(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

// shown returns all that is told of what came of a string.
func shown(t testing.TB, e any, layer *registry.Layer, err error) string {
	t.Helper()
	var b strings.Builder
	add := func(v any) {
		encoded, _ := json.Marshal(v)
		fmt.Fprintf(&b, "%v\n%+v\n%#v\n%s\n%q\n%s\n", v, v, v, v, v, encoded)
	}
	add(e)
	add(err)
	for _, e := range grammar.All(err) {
		add(*e)
		b.WriteString(e.Input + e.Caret() + e.Fix)
		add(e.Err)
	}
	if layer == nil {
		return b.String()
	}
	layer.Walk(func(l *registry.Layer, _ int) {
		add(l)
		b.WriteString(l.Text() + l.Description.Input)
		for _, a := range l.Args {
			b.WriteString(a.Shown() + a.Text)
		}
		for _, w := range l.Warnings {
			add(w)
			b.WriteString(w.Input + w.Caret())
		}
	})
	return b.String()
}

func TestNothingShowsASecret(t *testing.T) { // PA-08
	const rounds = 1000
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	r := rand.New(rand.NewPCG(3, 4))
	for range rounds {
		secret := randomSecret(r, plain)
		s := secretive(r, r.IntN(4))
		mistakes := r.IntN(2)
		if strings.Contains(s, "="+mark) {
			mistakes = r.IntN(3) // a key tells more
		}
		for range mistakes {
			s = spoil(r, s)
		}
		if !stands(s) {
			continue
		}
		s = strings.ReplaceAll(s, mark, secret)
		role := registry.Roles()[max(0, r.IntN(10)-5)]
		if _, _, err := fakes().Build(s, role); err == nil && mistakes > 0 {
			continue // the secret may be the value of another parameter by now
		}
		if !conceals(t, fakes(), s, secret, role) {
			return
		}
	}
}

// A registry that does not have the plugin knows a secret by its key only.
func TestNothingShowsAPasswordOfAPluginThatIsNotThere(t *testing.T) { // PA-08
	few := registry.Must(registry.New(plugins()[:3]...))
	for i, in := range []string{"login:password=§", "login:proxyPassword=§:x", "a:b={c:auth_token=§}", `a:b=c\:secret\=§`, "a:b=[c:PASSWD=§]"} {
		for j, r := range []*registry.Registry{few, registry.Must(registry.New()), new(registry.Registry)} {
			s := strings.Replace(in, "§", hunter2, 1)
			if !conceals(t, r, s, hunter2, registry.RoleClient) {
				t.Errorf("string %d of registry %d", i, j)
			}
		}
	}
}

func conceals(t *testing.T, from *registry.Registry, s, secret string, role registry.Role) bool {
	t.Helper()
	e, layer, err := from.Build(s, role)
	all := shown(t, e, layer, err)
	i := strings.Index(all, secret)
	if i >= 0 {
		t.Errorf("%q as a %s shows the secret %q: …%s…", s, role, secret, all[max(0, i-200):min(len(all), i+200)])
	}
	return i < 0
}

// leaky is a plugin that shows its secret in each way that an error can.
func leaky(form string) registry.Plugin {
	return registry.Plugin{Name: "leaky", Doc: "Leaks.", Client: registry.For(func(o loginClient) (registry.Client, error) {
		secret, _ := o.Password.Reveal(context.Background())
		shown := fmt.Sprintf(form, secret)
		return nil, errors.Join(
			registry.Bad("user", "does not go with %s", shown).WithFix(shown),
			registry.Bad("", "%w", errors.New(shown)),
			registry.Bad("password", "%w", causeWithText{Text: shown}),
			errors.New(shown),
		)
	})}
}

type causeWithText struct{ Text string }

func (causeWithText) Error() string { return "an error with a text in it" }

// What a plugin says about a secret is redacted, however it quotes it.
func TestErrorsOfPluginsAreRedacted(t *testing.T) { // PA-08
	for _, secret := range []string{hunter2, `with "quotes" and \ more`, "с кириллицей", "tab\u00a0and:colon=equals", "text:" + hunter2} {
		for _, form := range []string{"%s", "%q", "%+q", "<%s>", "%s%[1]s", "%.100s"} {
			r := registry.Must(registry.New(leaky(form)))
			in := "leaky:user=me:password=" + grammar.QuoteKey(secret)
			secret := strings.TrimPrefix(secret, "text:")
			e, layer, err := r.Build(in, registry.RoleClient)
			all := shown(t, e, layer, err)
			for _, quoted := range []string{secret, fmt.Sprintf("%q", secret), fmt.Sprintf("%+q", secret)} {
				if strings.Contains(all, strings.Trim(quoted, `"`)) {
					t.Errorf("%q by %s is shown: %s", secret, form, all)
				}
			}
			if n := len(grammar.All(err)); n != 4 || !strings.Contains(err.Error(), "does not go with") {
				t.Errorf("%d faults: %v", n, err)
			}
		}
	}
}

// A plugin whose panic shows a secret is no better.
func TestPanicsOfPluginsAreRedacted(t *testing.T) {
	r := registry.Must(registry.New(registry.Plugin{Name: "leaky", Doc: "Leaks.", Client: registry.For(func(o loginClient) (registry.Client, error) {
		secret, _ := o.Password.Reveal(context.Background())
		panic(secret)
	})}))
	e, layer, err := r.Build("leaky:password="+hunter2, registry.RoleClient)
	if all := shown(t, e, layer, err); strings.Contains(all, hunter2) || !strings.Contains(all, "plugin leaky panicked: ***") {
		t.Error(all)
	}
}

// In a string without a hint at secrets all is shown, though the registry has plugins with secrets.
func TestWithoutAHintAllIsShown(t *testing.T) {
	for _, in := range []string{
		"tcp:monkey.example.com:99999", "tcp:host=a:port=80:colour=red", "tcp:[::1:80", "example.com:80", "unix:/run/keys/a=b:600",
		"starttls:{tcp6:fe80::1:25}:smpt", "chain:{tcp:a}:{udp:b:80}:c", "tcp6:host=login.example.com:port=x",
	} {
		for _, role := range registry.Roles() {
			_, _, err := fakes().Build(in, role)
			for _, e := range grammar.All(err) {
				if e.Input != in {
					t.Errorf("%q as a %s is shown as %q", in, role, e.Input)
				}
			}
		}
	}
}

func TestInlineSecretsAreWarnedOf(t *testing.T) { // SE-02
	for _, tt := range []struct {
		in       string
		warnings int
	}{
		{"login", 0},
		{"login:password=", 0},
		{"login:password=[env:X]", 0},
		{"login:password=[file:/x]:spare=[env:A,fd:3]", 0},
		{"login:password=" + hunter2, 1},
		{"login:password=" + hunter2 + ":spare=[env:A," + hunter2 + "]", 2},
		{"vault:me:[env:X]:realm=[env:Y]", 0},
		{"vault:me:" + hunter2 + ":realm=" + hunter2 + ":other=[env:X]", 2},
		{"starttls:{login:password=" + hunter2 + "}:smtp", 1},
	} {
		_, layer, err := fakes().Build(tt.in, registry.RoleClient)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		n := 0
		layer.Walk(func(l *registry.Layer, _ int) {
			for _, w := range l.Warnings {
				n++
				if strings.Contains(w.Caret()+fmt.Sprintf("%+v %#v", w, w), hunter2) || w.Fix != "[env:NAME]" || w.Start >= w.End {
					t.Errorf("%q: the warning %#v", tt.in, w)
				}
			}
		})
		if n != tt.warnings {
			t.Errorf("%q: %d warnings, want %d", tt.in, n, tt.warnings)
		}
	}
}
