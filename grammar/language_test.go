package grammar_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
)

//go:generate go test -count=1 -run TestEBNFIsGolden . -update

func TestEBNFIsGolden(t *testing.T) {
	const path = "../spec/grammar.ebnf"
	if *update {
		if err := os.WriteFile(path, []byte(grammar.EBNF()+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := grammar.EBNF() + "\n"; got != string(want) {
		t.Errorf("%s is stale, run go generate\n got %s\nwant %s", path, got, want)
	}
}

func languagePage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../spec/language.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestExamplesOfTheLanguagePage(t *testing.T) {
	check := map[string]func(*testing.T, string){
		"tree":      checkTree,
		"same":      checkSame,
		"refused":   checkRefused,
		"canonical": func(t *testing.T, text string) { checkText(t, text, grammar.Canonical) },
		"brackets":  func(t *testing.T, text string) { checkText(t, text, grammar.Brackets) },
	}
	seen := map[string]bool{}
	for _, block := range regexp.MustCompile("(?ms)^```(.*?)\n(.*?)^```").FindAllStringSubmatch(languagePage(t), -1) {
		kind, text := block[1], block[2]
		seen[kind] = true
		if check[kind] == nil {
			t.Fatalf("a block of kind %q", kind)
		}
		first, _, _ := strings.Cut(text, "\n")
		t.Run(kind+" "+first, func(t *testing.T) { check[kind](t, text) })
	}
	for kind := range check {
		if !seen[kind] {
			t.Errorf("no block of kind %q", kind)
		}
	}
}

// checkTree reads strings, an empty line, and the fields that all of these strings have.
func checkTree(t *testing.T, text string) {
	inputs, tree, _ := strings.Cut(text, "\n\n")
	want := words(strings.Split(strings.TrimSpace(tree), "\n"))
	for in := range strings.Lines(inputs) {
		in = strings.TrimSuffix(in, "\n")
		if got := words(treeLines(mustParse(t, in), "")); !slices.Equal(got, want) {
			t.Errorf("%q is\n%s\nnot\n%s", in, strings.Join(got, "\n"), tree)
		}
	}
}

func words(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = strings.Join(strings.Fields(line), " ")
	}
	return out
}

func treeLines(d *grammar.Description, indent string) []string {
	var lines []string
	for _, f := range d.Fields {
		line := indent
		if f.Keyed {
			line += shownInTree(f.Key) + " = "
		}
		if f.Nested == nil {
			lines = append(lines, line+shownInTree(f.Value))
			continue
		}
		lines = append(append(lines, line+"{"), treeLines(f.Nested, indent+"  ")...)
		lines = append(lines, indent+"}")
	}
	return lines
}

func shownInTree(s string) string {
	if s == "" || strings.TrimSpace(s) != s {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// checkSame reads strings whose parameter endpoint is the same endpoint.
func checkSame(t *testing.T, text string) {
	var first *grammar.Description
	for in := range strings.Lines(text) {
		inner := mustDescribe(t, mustParse(t, strings.TrimSuffix(in, "\n")), "endpoint")
		if first == nil {
			first = inner
		}
		if !inner.Equal(first) {
			t.Errorf("%q has %s, not %s", in, dump(inner), dump(first))
		}
	}
}

// checkRefused reads the errors of a string as people see them; they begin with the string.
func checkRefused(t *testing.T, text string) {
	in, _, _ := strings.Cut(text, "\n")
	_, err := grammar.Parse(in)
	if got := carets(err); got != text {
		t.Errorf("got\n%s\nwant\n%s", got, text)
	}
}

// checkText reads lines of a string, an arrow and how it is written.
func checkText(t *testing.T, text string, style grammar.Style) {
	for line := range strings.Lines(text) {
		in, want, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "→")
		in, want = strings.TrimSpace(in), strings.TrimSpace(want)
		if got := mustParse(t, in).Text(style); got != want || !ok {
			t.Errorf("%q is written as %q, not %q", in, got, want)
		}
	}
}

func TestTheLanguagePageNamesTheLimits(t *testing.T) {
	page := languagePage(t)
	for _, row := range []string{
		fmt.Sprintf("| length | %d bytes |", grammar.MaxLength),
		fmt.Sprintf("| fields, at all levels together | %d |", grammar.MaxFields),
		fmt.Sprintf("| descriptions in braces inside each other | %d |", grammar.MaxDepth),
	} {
		if !strings.Contains(page, row) {
			t.Errorf("no row %s", row)
		}
	}
}

func TestTheLanguagePageListsTheDifferences(t *testing.T) {
	_, section, _ := strings.Cut(languagePage(t), "## Differences from Twisted")
	for input, kind := range twistedDifferences {
		if !strings.Contains(section, "| "+kind+" |") {
			t.Errorf("no row %q, the reason for %q", kind, input)
		}
	}
}

func TestTheLanguagePageLinksToItself(t *testing.T) {
	page := languagePage(t)
	for _, link := range regexp.MustCompile(`\]\(#([a-z-]+)\)`).FindAllStringSubmatch(page, -1) {
		title := strings.ReplaceAll(link[1], "-", " ")
		if !regexp.MustCompile(`(?im)^## ` + title + `$`).MatchString(strings.ReplaceAll(page, ",", "")) {
			t.Errorf("no section for #%s", link[1])
		}
	}
}
