package grammar

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/alecthomas/participle/v2/lexer"
)

const (
	tokenKey    lexer.TokenType = iota + 1 // a key and its equals sign; the value is the key, unescaped
	tokenText                              // a text that is not empty, unescaped
	tokenQuoted                            // a text in brackets; the value is without them
	tokenColon
	tokenOpen
	tokenClose
)

// definition tells participle the tokens, and lexes for it where the whole text is not at hand as a string.
type definition struct{}

func (definition) Symbols() map[string]lexer.TokenType {
	return map[string]lexer.TokenType{
		"EOF": lexer.EOF, "Key": tokenKey, "Text": tokenText, "Quoted": tokenQuoted,
		"Colon": tokenColon, "Open": tokenOpen, "Close": tokenClose,
	}
}

func (definition) Lex(_ string, r io.Reader) (lexer.Lexer, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return newScanner(string(text)), nil
}

// maxFaults is how many errors one scan reports; a binary file has no use for more.
const maxFaults = 16

// A scanner is the lexer: it splits text into tokens that always form a description, in one pass, and keeps a list of
// all that it had to mend for that. Where a limit is exceeded, and only there, Next fails.
type scanner struct {
	text   string
	pos    int
	next   stage
	fields int           // begun so far, at all levels
	opened [MaxDepth]int // places of the braces that are not closed yet
	depth  int           // how many of them there are
	faults []*Error
	limit  *Error
}

// A stage is what may follow at a scanner's place.
type stage int

const (
	fieldStart stage = iota // a key, or what follows at valueStart
	valueStart              // a value, or what follows at valueEnd
	valueEnd                // a colon, a closing brace or the end of the text
)

func newScanner(text string) *scanner {
	sc := &scanner{text: text, fields: 1}
	if len(text) > MaxLength {
		sc.limit = &Error{Start: 0, End: len(text), Message: fmt.Sprintf(
			"the description is %d bytes long, the limit is %d", len(text), MaxLength)}
	}
	return sc
}

// Next implements lexer.Lexer.
func (sc *scanner) Next() (lexer.Token, error) {
	if sc.limit != nil {
		return lexer.Token{}, sc.limit
	}
	start := sc.pos
	kind, value := sc.token()
	if sc.limit != nil {
		return lexer.Token{}, sc.limit
	}
	return lexer.Token{Type: kind, Value: value, Pos: lexer.Position{Offset: start}}, nil
}

// token reads one token, and what must be skipped behind it.
func (sc *scanner) token() (kind lexer.TokenType, value string) {
	c := sc.peek()
	if sc.next == fieldStart && c != '[' && c != '{' {
		text := sc.plain(true)
		if sc.peek() == '=' {
			sc.pos++
			sc.next = valueStart
			return tokenKey, text
		}
		if text != "" {
			sc.next = valueEnd
			return tokenText, text
		}
	}
	if sc.next == valueEnd {
		return sc.end()
	}
	sc.next = valueEnd
	switch c {
	case '[':
		return tokenQuoted, sc.quoted()
	case '{':
		return sc.open()
	}
	if text := sc.plain(false); text != "" {
		return tokenText, text
	}
	return sc.end()
}

// plain reads text up to the character that ends it, and an equals sign too where it could end a key.
func (sc *scanner) plain(key bool) string {
	start, escaped := sc.pos, false
	for ; sc.pos < len(sc.text); sc.pos++ {
		switch c := sc.text[sc.pos]; {
		case c == '\\':
			escaped = true
			if sc.pos+1 == len(sc.text) {
				sc.fault(&Error{Start: sc.pos, End: sc.pos + 1, Fix: `\\`, Message: "a backslash at the end escapes nothing"})
				continue
			}
			sc.pos++
		case c == ':' || c == '=' && key || c == '}' && sc.depth > 0:
			return unescape(sc.text[start:sc.pos], escaped)
		}
	}
	return unescape(sc.text[start:sc.pos], escaped)
}

func (sc *scanner) quoted() string {
	start := sc.pos
	length := strings.IndexByte(sc.text[start:], ']')
	if length < 0 {
		sc.pos = sc.likelyEnd()
		sc.unclosed(start, "]", "no ] closes the [")
		return sc.text[start+1 : sc.pos]
	}
	sc.pos = start + length + 1
	sc.closed("]")
	return sc.text[start+1 : start+length]
}

// likelyEnd guesses where a text in brackets was meant to end that has no closing one: before the next field that has
// a key, or before the brace that closes the description.
func (sc *scanner) likelyEnd() int {
	for i := sc.pos; i < len(sc.text); i++ {
		if c := sc.text[i]; c == '}' && sc.depth > 0 || c == ':' && startsWithKey(sc.text[i+1:]) {
			return i
		}
	}
	return len(sc.text)
}

func startsWithKey(s string) bool {
	end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return end > 0 && s[end] == '='
}

func (sc *scanner) open() (lexer.TokenType, string) {
	if sc.depth == MaxDepth {
		sc.limit = &Error{Start: sc.pos, End: sc.pos + 1, Message: fmt.Sprintf(
			"descriptions are nested deeper than the limit of %d levels", MaxDepth)}
		return lexer.EOF, ""
	}
	sc.opened[sc.depth] = sc.pos
	sc.depth++
	sc.pos++
	sc.startField()
	return tokenOpen, "{"
}

// end reads what follows a field.
func (sc *scanner) end() (lexer.TokenType, string) {
	switch {
	case sc.pos < len(sc.text) && sc.text[sc.pos] == ':':
		sc.pos++
		sc.startField()
		return tokenColon, ":"
	case sc.depth == 0:
		return lexer.EOF, "" // nothing but a colon ends a text outside of braces
	}
	sc.depth--
	if sc.pos == len(sc.text) {
		sc.unclosed(sc.opened[sc.depth], "}", "no } closes the {")
	} else {
		sc.pos++
		sc.closed("}")
	}
	return tokenClose, "}"
}

func (sc *scanner) startField() {
	sc.next = fieldStart
	sc.fields++
	if sc.fields > MaxFields {
		sc.limit = &Error{Start: sc.pos, End: len(sc.text), Message: fmt.Sprintf(
			"the description has more than the limit of %d fields", MaxFields)}
	}
}

// closed skips, and reports, what stands between a bracket or brace that closed a value and the end of the field.
func (sc *scanner) closed(by string) {
	start := sc.pos
	sc.plain(false)
	if sc.pos == start {
		return
	}
	allowed := "a colon or the end"
	if sc.depth > 0 {
		allowed = "a colon or }"
	}
	sc.fault(&Error{Start: start, End: sc.pos, Message: fmt.Sprintf("only %s may follow the closing %s", allowed, by)})
}

func (sc *scanner) unclosed(opened int, missing, message string) {
	sc.fault(&Error{Start: sc.pos, End: sc.pos, Also: []Span{{opened, opened + 1}}, Fix: missing, Message: message})
}

func (sc *scanner) peek() byte {
	if sc.pos < len(sc.text) {
		return sc.text[sc.pos]
	}
	return 0
}

func (sc *scanner) fault(e *Error) {
	if len(sc.faults) < maxFaults {
		sc.faults = append(sc.faults, e)
	}
}

func unescape(s string, escaped bool) string {
	if !escaped {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
