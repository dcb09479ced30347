package grammar

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// Each benchmark measures two things in turns and reports the quotient of their times, and the goal for it, which no
// machine changes much. Run: go test ./grammar -run XXX -bench .

const (
	short    = `tcp6:port=80:interface=\:\:1`
	shortURL = `tcp6://?port=80&interface=%3A%3A1`

	// About 200 characters and three levels.
	nested = `starttls:endpoint={proxy:via={socks5:host=[2001:db8::53]:port=1080:user=relay}:host=mail.example.org:` +
		`port=25:timeout=30}:proto=smtp:host=mail.example.org:certificate=/etc/ssl/mail.pem:key=/etc/ssl/private/mail.key`
	nestedURL = `starttls://?endpoint=proxy%3A%2F%2F%3Fvia%3Dsocks5%253A%252F%252F%253Fhost%253D2001%25253Adb8%25253A%25253A53` +
		`%2526port%253D1080%2526user%253Drelay%26host%3Dmail.example.org%26port%3D25%26timeout%3D30&proto=smtp&` +
		`host=mail.example.org&certificate=%2Fetc%2Fssl%2Fmail.pem&key=%2Fetc%2Fssl%2Fprivate%2Fmail.key`
)

// compare reports how many times as long as theirs ours takes. They take turns, so short ones that what else the machine
// does, garbage collection included, falls on both; and the median counts.
func compare(b *testing.B, unit string, goal float64, ours, theirs func()) {
	b.Helper()
	const turn = 20 * time.Microsecond
	batch := 1 + int(turn*100/timeOf(100, ours))
	quotients := make([]float64, 0, 1024)
	for b.Loop() {
		mine := timeOf(batch, ours)
		quotients = append(quotients, float64(mine)/float64(timeOf(batch, theirs)))
	}
	slices.Sort(quotients)
	b.ReportMetric(quotients[len(quotients)/2], unit)
	b.ReportMetric(goal, "goal")
	b.ReportMetric(0, "ns/op") // of both together: of no use
}

func timeOf(n int, f func()) time.Duration {
	start := time.Now()
	for range n {
		f()
	}
	return time.Since(start)
}

func parseOrPanic(s string) func() {
	return func() {
		if _, err := Parse(s); err != nil {
			panic(err)
		}
	}
}

// parseURL reads a URL and its query, and the URLs in that for so many levels more.
func parseURL(s string, levels int) func() {
	var read func(s string, levels int)
	read = func(s string, levels int) {
		u, err := url.Parse(s)
		if err != nil {
			panic(err)
		}
		query := u.Query()
		for _, key := range []string{"endpoint", "via"} {
			if inner := query.Get(key); inner != "" && levels > 0 {
				read(inner, levels-1)
			}
		}
	}
	return func() { read(s, levels) }
}

func BenchmarkParse(b *testing.B) {
	for _, s := range []string{short, nested} {
		b.Run(fmt.Sprintf("%dcharacters", len(s)), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				parseOrPanic(s)()
			}
		})
	}
}

func BenchmarkShortAgainstURL(b *testing.B) {
	compare(b, "×url", 10, parseOrPanic(short), parseURL(shortURL, 0))
}

func BenchmarkNestedAgainstURL(b *testing.B) {
	compare(b, "×url", 12, parseOrPanic(nested), parseURL(nestedURL, 0))
}

func BenchmarkNestedAgainstNestedURL(b *testing.B) {
	compare(b, "×url", 12, parseOrPanic(nested), parseURL(nestedURL, 2))
}

func BenchmarkShortAgainstStatefulLexer(b *testing.B) {
	compare(b, "×stateful", 0.35, parseOrPanic(short), parseStateful(b, short))
}

func BenchmarkNestedAgainstStatefulLexer(b *testing.B) {
	compare(b, "×stateful", 0.35, parseOrPanic(nested), parseStateful(b, nested))
}

func BenchmarkDoubling(b *testing.B) {
	for name, piece := range map[string]string{
		"text": "xxxxxxxxxxxxxxxx", "escapes": `\:\:\:\:\:\:\:\:`, "characters": "日本語日本語", "fields": "key=value:", "brackets": "k=[::1]:", "nested": "{a:b}:",
	} {
		b.Run(name, func(b *testing.B) {
			compare(b, "×half", 2.5, parseOrPanic(strings.Repeat(piece, 80)), parseOrPanic(strings.Repeat(piece, 40)))
		})
	}
}

// BenchmarkBuild is what the first Parse of a program costs more than the others.
func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		participle.MustBuild[fieldList](participle.Lexer(definition{}))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms")
	b.ReportMetric(0.5, "goal")
}

// statefulLexer is what participle offers for a language such as this: regular expressions, and a stack of states. It
// takes a closing brace outside of braces for an error, and knows neither limits nor refused characters.
func statefulLexer() lexer.Definition {
	return lexer.MustStateful(lexer.Rules{
		"Root": {
			{Name: "Key", Pattern: `(?:(?:[^\\:=}\[{]|\\.)(?:[^\\:=}]|\\.)*)?=`, Action: lexer.Push("Value")},
			{Name: "Quoted", Pattern: `\[[^\]]*\]`},
			{Name: "Text", Pattern: `(?:[^\\:}\[{]|\\.)(?:[^\\:}]|\\.)*`},
			{Name: "Open", Pattern: `\{`, Action: lexer.Push("Root")},
			{Name: "Close", Pattern: `\}`, Action: lexer.Pop()},
			{Name: "Colon", Pattern: `:`},
		},
		"Value": {
			{Name: "Quoted", Pattern: `\[[^\]]*\]`},
			{Name: "Open", Pattern: `\{`, Action: lexer.Push("Root")},
			{Name: "Text", Pattern: `(?:[^\\:}\[{]|\\.)(?:[^\\:}]|\\.)*`},
			lexer.Return(),
		},
	})
}

func statefulParser() *participle.Parser[description] {
	unescape := func(t lexer.Token) (lexer.Token, error) {
		t.Value = unescape(t.Value, strings.Contains(t.Value, `\`))
		return t, nil
	}
	return participle.MustBuild[description](participle.Lexer(statefulLexer()),
		participle.Map(func(t lexer.Token) (lexer.Token, error) {
			t.Value = strings.TrimSuffix(t.Value, "=")
			return unescape(t)
		}, "Key"),
		participle.Map(unescape, "Text"),
		participle.Map(func(t lexer.Token) (lexer.Token, error) {
			t.Value = t.Value[1 : len(t.Value)-1]
			return t, nil
		}, "Quoted"))
}

func parseStateful(b *testing.B, s string) func() {
	parser := statefulParser()
	d, err := parser.ParseString("", s)
	if err != nil {
		b.Fatal(err)
	}
	if list, _ := read(s); d.dump() != list.dump() {
		b.Fatalf("the stateful lexer reads %q as %s, not %s", s, d.dump(), list.dump())
	}
	return func() {
		if _, err := parser.ParseString("", s); err != nil {
			panic(err)
		}
	}
}

// BenchmarkHostile is the time until the worst inputs are refused and the error is drawn.
func BenchmarkHostile(b *testing.B) {
	for name, s := range map[string]string{
		"1MiB": strings.Repeat("x", 1<<20), "300000braces": strings.Repeat("{", 300_000), "100000fields": strings.Repeat("a=b:", 100_000),
		"8KiBinvalid": strings.Repeat("\xff ", MaxLength/2), "8KiBbrackets": strings.Repeat("a=[:", MaxFields-1),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := Parse(s)
				for _, e := range All(err) {
					_ = e.Caret()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms")
			b.ReportMetric(10, "goal")
		})
	}
}
