package grammar_test

import (
	"sync"
	"testing"

	"github.com/epctl/endpoint/grammar"
)

func TestParseReadsFieldsKeysAndValues(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing is one empty field", ``, `""`},
		{"a name", `tcp`, `"tcp"`},
		{"positional fields", `tcp:example.org:80`, `"tcp" "example.org" "80"`},
		{"keyed fields", `tcp6:port=80:interface=x`, `"tcp6" "port"="80" "interface"="x"`},
		{"the name may stand anywhere", `port=80:tcp`, `"port"="80" "tcp"`},
		{"empty fields", `::`, `"" "" ""`},
		{"an empty value", `a=`, `"a"=""`},
		{"an empty key", `=a`, `""="a"`},
		{"an empty key and value", `=`, `""=""`},
		{"later equals signs are text", `a=b=c==`, `"a"="b=c=="`},
		{"duplicate keys are kept", `a=1:a=2`, `"a"="1" "a"="2"`},
		{"case and space are kept", ` Tcp : Port = 80 `, `" Tcp " " Port "=" 80 "`},
		{"other scripts", `tcp:exämple.org:名前=値`, `"tcp" "exämple.org" "名前"="値"`},
		{"no Unicode normalization", "e\u0301=\u00e9", "\"e\u0301\"=\"\u00e9\""}, // PA-05
		{"a no-break space is text", "a\u00a0b", `"a\u00a0b"`},
		{"a byte order mark is text", "\ufefftcp", `"\ufefftcp"`},
		{"other people's syntax is text", `a;b,c#d$e~f(g)"h'i|j&k`, `"a;b,c#d$e~f(g)\"h'i|j&k"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := dump(mustParse(t, tt.in)); got != tt.want {
				t.Errorf("Parse(%q)\n got %s\nwant %s", tt.in, got, tt.want)
			}
		})
	}
}

func TestParseReadsEscapes(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a colon", `a\:b`, `"a:b"`},
		{"an equals sign", `a\=b`, `"a=b"`},
		{"a backslash", `a\\b`, `"a\\b"`},
		{"an escaped backslash escapes nothing", `a\\:b`, `"a\\" "b"`},
		{"any character stands for itself", `\n\t\0\x\ `, `"nt0x "`},
		{"a character of several bytes", `\😀\é`, `"😀é"`},
		{"in a key", `a\=b\:c=d`, `"a=b:c"="d"`},
		{"brackets and braces at the start", `\[a]:\{b}:k=\[c:\{d=e`, `"[a]" "{b}" "k"="[c" "{d"="e"`},
		{"brackets and braces elsewhere need none", `a[b]:c{d}:k=e[f{g`, `"a[b]" "c{d}" "k"="e[f{g"`},
		{"a closing brace outside of braces needs none", `a}:}=}`, `"a}" "}"="}"`},
		{"an IPv6 address", `tcp6:port=80:interface=\:\:1`, `"tcp6" "port"="80" "interface"="::1"`},
		{"a Windows path", `unix:C\:\\tmp\\x`, `"unix" "C:\\tmp\\x"`},
		{"a Windows path eaten", `unix:C\:\tmp\x`, `"unix" "C:tmpx"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := dump(mustParse(t, tt.in)); got != tt.want {
				t.Errorf("Parse(%q)\n got %s\nwant %s", tt.in, got, tt.want)
			}
		})
	}
}

func TestParseReadsBrackets(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"an address", `tcp6:interface=[::1]:port=80`, `"tcp6" "interface"="::1" "port"="80"`},
		{"a zone", `tcp:[fe80::1%eth0]:80`, `"tcp" "fe80::1%eth0" "80"`},
		{"backslashes are text", `unix:[C:\x\y\]`, `"unix" "C:\\x\\y\\"`},
		{"all syntax is text", `[a:b=c{d}[e\:f]`, `"a:b=c{d}[e\\:f"`},
		{"empty", `[]:a=[]`, `"" "a"=""`},
		{"the whole string", `[x]`, `"x"`},
		{"inside braces", `{[a}b]}`, `{ "a}b" }`},
		{"a closing one elsewhere is text", `a]:b=c]`, `"a]" "b"="c]"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := dump(mustParse(t, tt.in)); got != tt.want {
				t.Errorf("Parse(%q)\n got %s\nwant %s", tt.in, got, tt.want)
			}
		})
	}
}

func TestParseReadsNestedDescriptions(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"with a key", `starttls:endpoint={tcp6:host=[::1]:port=25}:proto=smtp`,
			`"starttls" "endpoint"={ "tcp6" "host"="::1" "port"="25" } "proto"="smtp"`},
		{"by position", `chain:{tcp:a:1}:{tcp:b:2}`, `"chain" { "tcp" "a" "1" } { "tcp" "b" "2" }`},
		{"empty", `{}`, `{ "" }`},
		{"empty fields", `{:}:{=}`, `{ "" "" } { ""="" }`},
		{"several levels", `a={b={c={d}}}`, `"a"={ "b"={ "c"={ "d" } } }`},
		{"several at the end of one", `{{a}:{b}}:c`, `{ { "a" } { "b" } } "c"`},
		{"an escaped closing brace", `{a\}b}`, `{ "a}b" }`},
		{"an opening brace in text", `{a{b}`, `{ "a{b" }`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := dump(mustParse(t, tt.in)); got != tt.want {
				t.Errorf("Parse(%q)\n got %s\nwant %s", tt.in, got, tt.want)
			}
		})
	}
}

func TestDescriptionReadsTheValueOfAField(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"in braces", `e={tcp:80}`, `"tcp" "80"`},
		{"in brackets", `e=[tcp:80:interface=\:\:1]`, `"tcp" "80" "interface"="::1"`},
		{"in escaped text", `e=tcp\:80\:interface=\\\:\\\:1`, `"tcp" "80" "interface"="::1"`},
		{"in braces in brackets", `e=[starttls:{tcp:h:25}]`, `"starttls" { "tcp" "h" "25" }`},
		{"empty", `e=`, `""`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := dump(mustDescribe(t, mustParse(t, tt.in), "e")); got != tt.want {
				t.Errorf("Description of e in %q\n got %s\nwant %s", tt.in, got, tt.want)
			}
		})
	}
}

func TestRestIsADescription(t *testing.T) {
	for _, tt := range []struct {
		in           string
		n            int
		want, source string
	}{
		{`haproxy:tcp:8080`, 1, `"tcp" "8080"`, `tcp:8080`},
		{`haproxy:tcp6:80:interface=\:\:1`, 1, `"tcp6" "80" "interface"="::1"`, `tcp6:80:interface=\:\:1`},
		{`a:b:c`, 0, `"a" "b" "c"`, `a:b:c`},
		{`a:b:c`, 2, `"c"`, `c`},
		{`a:b:c`, 3, ``, ``},
		{`haproxy:`, 1, `""`, ``},
	} {
		d := mustParse(t, tt.in)
		rest := d.Rest(tt.n)
		if got := dump(rest); got != tt.want {
			t.Errorf("Rest(%d) of %q is %s, want %s", tt.n, tt.in, got, tt.want)
		}
		if got := tt.in[rest.Span.Start:rest.Span.End]; got != tt.source {
			t.Errorf("Rest(%d) of %q spans %q, want %q", tt.n, tt.in, got, tt.source)
		}
		if rest.Input != tt.in {
			t.Errorf("Rest(%d) of %q has the input %q", tt.n, tt.in, rest.Input)
		}
	}
}

func TestRestOfANestedDescriptionEndsAtItsBrace(t *testing.T) {
	in := `x:{haproxy:tcp:80}:y`
	rest := mustParse(t, in).Fields[1].Nested.Rest(1)
	if got := in[rest.Span.Start:rest.Span.End]; got != `tcp:80` {
		t.Errorf("the rest spans %q", got)
	}
	if got := rest.String(); got != `tcp:80` {
		t.Errorf("the rest is %q", got)
	}
}

func TestEqualComparesMeaningNotSpelling(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{`tcp6:interface=\:\:1`, `tcp6:interface=[::1]`, true},
		{`t\cp`, `tcp`, true},
		{`a={b:c=d}`, `a={b:c=[d]}`, true},
		{`a`, `A`, false},
		{`a:b`, `b:a`, false},
		{`a:b`, `a`, false},
		{`a=`, `a`, false},
		{`=a`, `a`, false},
		{`k=a`, `j=a`, false},
		{`{a}`, `\{a}`, false},
		{`{}`, ``, false},
		{`{a}`, `{b}`, false},
	} {
		a, b := mustParse(t, tt.a), mustParse(t, tt.b)
		if a.Equal(b) != tt.want || b.Equal(a) != tt.want {
			t.Errorf("%q equals %q: want %v", tt.a, tt.b, tt.want)
		}
	}
	var none *grammar.Description
	if !none.Equal(nil) || none.Equal(mustParse(t, `a`)) || mustParse(t, `a`).Equal(nil) {
		t.Error("nil equals nil and nothing else")
	}
}

func TestFieldsMadeByHandWork(t *testing.T) {
	f := grammar.Field{Key: "endpoint", Keyed: true, Value: `tcp:80`}
	inner, err := f.Description()
	if err != nil || dump(inner) != `"tcp" "80"` {
		t.Errorf("Description: %s, %v", dump(inner), err)
	}
	if f.At(3) != 0 || f.Fix("[::1]") != "[::1]" {
		t.Errorf("At(3) is %d, Fix is %q", f.At(3), f.Fix("[::1]"))
	}
	d := grammar.Description{Fields: []grammar.Field{{Value: "x"}, f}}
	if got := d.String(); got != `x:endpoint=tcp\:80` {
		t.Errorf("String is %q", got)
	}
}

func TestParseMayRunInManyGoroutines(t *testing.T) {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				d, err := grammar.Parse(`starttls:endpoint={tcp6:host=[::1]:port=25}:proto=smtp`)
				if err != nil || d.String() != `starttls:endpoint={tcp6:host=\:\:1:port=25}:proto=smtp` {
					t.Errorf("%v, %v", d, err)
				}
			}
		})
	}
	group.Wait()
}
