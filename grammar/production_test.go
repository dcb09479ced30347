package grammar

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// The tagged structs are the grammar that people read; fieldList.Parse is what runs. They must be one language.

func TestTagsAndHandWrittenProductionsReadTheSame(t *testing.T) {
	tagged := participle.MustBuild[description](participle.Lexer(definition{}))
	const alphabet = `a:=\[]{}`
	var try func(s string, more int)
	try = func(s string, more int) {
		byTags, err := tagged.ParseString("", s)
		if err != nil {
			t.Fatalf("%q by tags: %v", s, err)
		}
		byHand, _ := read(s)
		if got, want := byHand.dump(), byTags.dump(); got != want {
			t.Fatalf("%q\nby hand %s\nby tags %s", s, got, want)
		}
		for i := 0; more > 0 && i < len(alphabet); i++ {
			try(s+alphabet[i:i+1], more-1)
		}
	}
	try("", 4)
	for _, s := range []string{
		`tcp6:port=80:interface=\:\:1`, `starttls:endpoint={tcp6:host=[::1]:port=25}:proto=smtp`, `{a:{b:c={d=e}}}:{{{f}}}`,
		strings.Repeat(":", 255), strings.Repeat("{", 16) + strings.Repeat("}", 16), "\x00\xff[a]b{c}d\\",
	} {
		try(s, 0)
	}
}

func TestTagsRefuseWhatTheLexerRefuses(t *testing.T) {
	tagged := participle.MustBuild[description](participle.Lexer(definition{}))
	for _, s := range []string{strings.Repeat("x", MaxLength+1), strings.Repeat(":", MaxFields), strings.Repeat("{", MaxDepth+1)} {
		if _, err := tagged.ParseString("", s); err == nil {
			t.Errorf("%.20q… has no error", s)
		}
		if list, faults := read(s); list != nil || len(faults) != 1 {
			t.Errorf("%.20q…: %v", s, faults)
		}
	}
}

// The lexer never makes such tokens; if it did, this must be an error and no panic.
func TestProductionsRefuseTokensThatAreNoDescription(t *testing.T) {
	for _, kinds := range [][]lexer.TokenType{
		{tokenClose}, {tokenOpen}, {tokenOpen, tokenColon}, {tokenText, tokenText}, {tokenKey, tokenKey}, {tokenQuoted, tokenOpen, tokenClose},
	} {
		stream, err := lexer.Upgrade(&fixedTokens{kinds})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser().ParseFromLexer(stream); err == nil {
			t.Errorf("tokens of types %v are taken", kinds)
		}
	}
}

type fixedTokens struct{ kinds []lexer.TokenType }

func (f *fixedTokens) Next() (lexer.Token, error) {
	if len(f.kinds) == 0 {
		return lexer.Token{Type: lexer.EOF}, nil
	}
	kind := f.kinds[0]
	f.kinds = f.kinds[1:]
	return lexer.Token{Type: kind}, nil
}

func (d *description) dump() string {
	words := make([]string, len(d.Fields))
	for i, f := range d.Fields {
		words[i] = dumpToken("key", f.Key)
		switch v := f.Value; {
		case v == nil:
		case v.Nested != nil:
			words[i] += "{" + v.Nested.dump() + "}"
		case v.Quoted != nil:
			words[i] += dumpToken("text", v.Quoted)
		default:
			words[i] += dumpToken("text", v.Text)
		}
	}
	return strings.Join(words, ":")
}

func (l *fieldList) dump() string {
	words := make([]string, len(l.Fields))
	for i, f := range l.Fields {
		words[i] = dumpToken("key", f.Key) + dumpToken("text", f.Text)
		if f.Nested != nil {
			words[i] += "{" + f.Nested.dump() + "}"
		}
	}
	return strings.Join(words, ":")
}

func dumpToken(kind string, t *lexer.Token) string {
	if t == nil {
		return ""
	}
	return fmt.Sprintf("%s %q at %d ", kind, t.Value, t.Pos.Offset)
}
