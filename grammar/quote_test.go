package grammar_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
)

func TestTextIsCanonicalOrBracketed(t *testing.T) {
	for _, tt := range []struct{ name, in, canonical, brackets string }{
		{"nothing special", `tcp:80:interface=x`, `tcp:80:interface=x`, `tcp:80:interface=x`},
		{"empty", ``, ``, ``},
		{"empty fields, keys and values", `:=:a=:[]`, `:=:a=:`, `:=:a=:`},
		{"one colon: a backslash is shorter", `[a:b]`, `a\:b`, `[a:b]`},
		{"two colons: as short, so a backslash", `[::1]`, `\:\:1`, `[::1]`},
		{"three colons: brackets are shorter", `a\:b\:c\:d`, `[a:b:c:d]`, `[a:b:c:d]`},
		{"needless escapes", `\t\c\p:a\{b`, `tcp:a{b`, `tcp:a{b`},
		{"needless brackets", `[tcp]:k=[v]`, `tcp:k=v`, `tcp:k=v`},
		{"an equals sign without a key", `a\=b`, `a\=b`, `[a=b]`},
		{"an equals sign behind a key", `k=a\=b=`, `k=a=b=`, `k=a=b=`},
		{"a leading bracket", `\[a`, `\[a`, `[[a]`},
		{"a leading brace", `\{a:k=\{`, `\{a:k=\{`, `[{a]:k=[{]`},
		{"brackets can't hold ]", `\[a]:b\:]`, `\[a]:b\:]`, `\[a]:b\:]`},
		{"a backslash", `[C:\x\y]`, `[C:\x\y]`, `[C:\x\y]`},
		{"a backslash at the end", `[C\]`, `C\\`, `[C\]`},
		{"keys are escaped in either style", `\[a\:b\=c\\=d`, `\[a\:b\=c\\=d`, `\[a\:b\=c\\=d`},
		{"a closing brace outside of braces", `a}:}=}`, `a}:}=}`, `a}:}=}`},
		{"a closing brace inside", `{a\}:\}=\}}`, `{a\}:\}=\}}`, `{[a}]:\}=[}]}`},
		{"nested", `s:e={t\c\p:[::1]}`, `s:e={tcp:\:\:1}`, `s:e={tcp:[::1]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := mustParse(t, tt.in)
			if got := d.String(); got != tt.canonical {
				t.Errorf("String of %q is %q, want %q", tt.in, got, tt.canonical)
			}
			if got := d.Text(grammar.Brackets); got != tt.brackets {
				t.Errorf("Text(Brackets) of %q is %q, want %q", tt.in, got, tt.brackets)
			}
			checkRoundTrip(t, d)
		})
	}
}

// checkRoundTrip fails where text made of d means another thing than d.
func checkRoundTrip(t testing.TB, d *grammar.Description) {
	t.Helper()
	for _, style := range []grammar.Style{grammar.Canonical, grammar.Brackets} {
		text := d.Text(style)
		again, err := grammar.Parse(text)
		if err != nil {
			t.Fatalf("%q, written from %q: %v", text, d.Input, err)
		}
		if !again.Equal(d) {
			t.Fatalf("%q, written from %q, is %s, not %s", text, d.Input, dump(again), dump(d))
		}
		if twice := again.Text(style); twice != text {
			t.Fatalf("%q is written as %q", text, twice)
		}
	}
	if n := len(d.String()); n > len(d.Input) {
		t.Fatalf("the canonical form of %q is longer: %q", d.Input, d)
	}
}

func TestNestedDescriptionsAreWrittenWithoutTheirBraces(t *testing.T) {
	nested := mustParse(t, `x:{a\}b:{c\}}}`).Fields[1].Nested
	if got := nested.String(); got != `a}b:{c\}}` {
		t.Errorf("String is %q", got)
	}
}

func TestTextStaysParsableAtTheLimits(t *testing.T) { // PA-03
	for name, in := range map[string]string{
		"equals signs":            "k=]" + strings.Repeat("=", grammar.MaxLength-3),
		"brackets add two a pair": strings.Repeat(strings.Repeat("x", 28)+`\::`, 255) + strings.Repeat("x", 287),
		"escapes":                 strings.Repeat(`\:`, grammar.MaxLength/2),
		"brackets":                "[" + strings.Repeat(":", grammar.MaxLength-2) + "]",
		"nested":                  strings.Repeat("{", 16) + strings.Repeat(`\}`, (grammar.MaxLength-32)/2) + strings.Repeat("}", 16),
	} {
		t.Run(name, func(t *testing.T) {
			if len(in) != grammar.MaxLength {
				t.Fatalf("%d bytes", len(in))
			}
			checkRoundTrip(t, mustParse(t, in))
		})
	}
}

func TestQuoteGivesTheTextOfAFieldAtAnyDepth(t *testing.T) {
	for _, tt := range []struct{ value, want, key string }{
		{``, ``, ``},
		{`80`, `80`, `80`},
		{`::1`, `\:\:1`, `\:\:1`},
		{`fe80::1%eth0`, `fe80\:\:1%eth0`, `fe80\:\:1%eth0`},
		{`2001:db8::1`, `[2001:db8::1]`, `2001\:db8\:\:1`},
		{`a=b`, `a\=b`, `a\=b`},
		{`a}`, `a\}`, `a\}`},
		{`[x]`, `\[x]`, `\[x]`},
		{`{x}`, `\{x\}`, `\{x\}`},
		{`C:\a\b`, `[C:\a\b]`, `C\:\\a\\b`},
		{`é`, `é`, `é`},
	} {
		if got := grammar.Quote(tt.value); got != tt.want {
			t.Errorf("Quote(%q) is %q, want %q", tt.value, got, tt.want)
		}
		if got := grammar.QuoteKey(tt.value); got != tt.key {
			t.Errorf("QuoteKey(%q) is %q, want %q", tt.value, got, tt.key)
		}
	}
}

func TestFixIsWrittenForTheTextThatTheFieldStandsIn(t *testing.T) {
	for _, tt := range []struct {
		name, in  string
		depth     int
		fix, want string
	}{
		{"in the input", `e=80`, 0, `[::1]`, `[::1]`},
		{"in brackets", `e=[tcp6:80]`, 1, `\:\:1`, `\:\:1`},
		{"in brackets, which can't hold it", `e=[tcp6:80]`, 1, `[::1]`, ``},
		{"in escapes", `e=tcp6\:80`, 1, `[::1]`, `\[\:\:1]`},
		{"in escapes twice", `e=e\=tcp6\\\:80`, 2, `a:b`, `a\\\:b`},
		{"in escapes in brackets", `e=[e=tcp6\:80]`, 2, `a:b`, `a\:b`},
	} {
		d := mustParse(t, tt.in)
		for tt.depth > 0 {
			d = mustDescribe(t, d, "e")
			tt.depth--
		}
		last := d.Fields[len(d.Fields)-1]
		if got := last.Fix(tt.fix); got != tt.want {
			t.Errorf("%s: Fix(%q) is %q, want %q", tt.name, tt.fix, got, tt.want)
		}
	}
}

func TestQuotedTextReadsBackWhereverItStands(t *testing.T) {
	const alphabet = `:=\[]{}a `
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteByte(alphabet[r.IntN(len(alphabet))])
		}
		value := b.String()
		in := grammar.Quote(value) + ":" + grammar.QuoteKey(value) + "=" + grammar.Quote(value)
		want := grammar.Description{Fields: []grammar.Field{{Value: value}, {Key: value, Keyed: true, Value: value}}}
		if d := mustParse(t, in); !d.Equal(&want) {
			t.Fatalf("%q, made from %q, is %s", in, value, dump(d))
		}
		if d := mustParse(t, "{{"+in+"}}").Fields[0].Nested.Fields[0].Nested; !d.Equal(&want) {
			t.Fatalf("%q in braces, made from %q, is %s", in, value, dump(d))
		}
	}
}

func TestRandomDescriptionsSurviveTheRoundTrip(t *testing.T) { // PA-03
	r := rand.New(rand.NewPCG(5, 6))
	for right := 0; right < 1000; {
		d, err := grammar.Parse(randomInput(r, 1+r.IntN(15)))
		if err == nil {
			checkRoundTrip(t, d)
			right++
		}
	}
}
