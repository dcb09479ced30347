package grammar

import (
	"sync"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// The grammar, as participle reads it: the structs in reading order are the productions, and their EBNF is
// spec/grammar.ebnf. The lexer gives the empty text no token; what may be empty is optional here. ':':Colon is a colon
// that the lexer took for a separator, as opposed to a text of one colon.

type description struct {
	Fields []field `parser:"@@ ( ':':Colon @@ )*"`
}

type field struct {
	Key   *lexer.Token `parser:"@Key?"`
	Value *value       `parser:"@@?"`
}

type value struct {
	Nested *description `parser:"  '{':Open @@ '}':Close"`
	Quoted *lexer.Token `parser:"| @Quoted"`
	Text   *lexer.Token `parser:"| @Text"`
}

// EBNF returns the productions of the language in participle's notation. <key> is a text and the equals sign behind
// it, <quoted> is a text in brackets, <text> is one that is not empty.
func EBNF() string {
	return participle.MustBuild[description](participle.Lexer(definition{})).String()
}

// fieldList is description with a Parse of its own, which participle calls instead of going through the tags: the same
// productions by hand, since reflection on every token is five times slower. The tests hold the two against each other.
type fieldList struct {
	Fields []fieldNode
	Span   Span
}

type fieldNode struct {
	Key, Text *lexer.Token // nil where there is none; Text also stands for Quoted
	Nested    *fieldList
	Start     int // of the field
	Value     int // start of the value
	End       int // of both
}

var parser = sync.OnceValue(func() *participle.Parser[fieldList] {
	return participle.MustBuild[fieldList](participle.Lexer(definition{}))
})

// read returns the productions of text, or nil where a limit is exceeded, and all faults of it.
func read(text string) (*fieldList, []*Error) {
	sc := newScanner(text)
	tokens, err := lexer.Upgrade(sc)
	if err != nil {
		return nil, []*Error{sc.limit}
	}
	list, err := parser().ParseFromLexer(tokens)
	if err != nil { // err may tell the text, which may be secret
		return nil, []*Error{{End: len(text), Message: "the grammar can't read what its lexer made (a bug)"}}
	}
	sc.checkCharacters()
	return list, sc.faults
}

// Parse implements participle.Parseable. Nothing lies between two tokens, so each node ends where the next one starts.
func (l *fieldList) Parse(lex *lexer.PeekingLexer) error {
	for {
		f, err := parseField(lex)
		if err != nil {
			return err
		}
		l.Fields = append(l.Fields, f)
		if lex.Peek().Type != tokenColon {
			break
		}
		lex.Next()
	}
	l.Span = Span{l.Fields[0].Start, offset(lex)}
	return nil
}

func parseField(lex *lexer.PeekingLexer) (f fieldNode, err error) {
	f.Start = offset(lex)
	if lex.Peek().Type == tokenKey {
		f.Key = lex.Next()
	}
	f.Value = offset(lex)
	switch lex.Peek().Type {
	case tokenText, tokenQuoted:
		f.Text = lex.Next()
	case tokenOpen:
		f.Nested, err = parseNested(lex)
	}
	f.End = offset(lex)
	return f, err
}

// parseNested reads a description in braces. The scan has bounded their depth.
func parseNested(lex *lexer.PeekingLexer) (*fieldList, error) {
	lex.Next()
	l := new(fieldList)
	if err := l.Parse(lex); err != nil {
		return nil, err
	}
	if t := lex.Next(); t.Type != tokenClose {
		return nil, participle.Errorf(t.Pos, "unexpected token of type %d", t.Type)
	}
	return l, nil
}

func offset(lex *lexer.PeekingLexer) int { return lex.Peek().Pos.Offset }

// description makes the tree that callers get.
func (l *fieldList) description(src *source) *Description {
	d := &Description{Input: src.input, Span: src.span(l.Span), Fields: make([]Field, len(l.Fields))}
	for i, n := range l.Fields {
		f := &d.Fields[i]
		f.source, f.raw = src, Span{n.Value, n.End}
		f.Span, f.ValueSpan = src.span(Span{n.Start, n.End}), src.span(f.raw)
		if n.Key != nil {
			f.Key, f.Keyed, f.KeySpan = n.Key.Value, true, src.span(Span{n.Start, n.Value - 1})
		}
		if n.Text != nil {
			f.Value = n.Text.Value
		}
		if n.Nested != nil {
			f.Nested = n.Nested.description(src)
		}
	}
	return d
}
