package grammar

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

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

// maxFaults is how many errors one scan reports; a binary file has no use for more.
const maxFaults = 16

// scan splits s into tokens that always form a description, in one pass, and reports all that it had to mend for that.
// No tokens come back where a limit is exceeded.
func scan(s string) ([]lexer.Token, []*Error) {
	if len(s) > MaxLength {
		return nil, []*Error{{Start: 0, End: len(s), Message: fmt.Sprintf(
			"the description is %d bytes long, the limit is %d", len(s), MaxLength)}}
	}
	sc := scanner{text: s, tokens: make([]lexer.Token, 0, 2*(strings.Count(s, ":")+1)+4), fields: 1}
	sc.scan()
	if sc.limit != nil {
		return nil, []*Error{sc.limit}
	}
	sc.checkCharacters()
	return sc.tokens, sc.faults
}

// A scanner stands at text[pos], at the start of a field or, within value, of a value.
type scanner struct {
	text   string
	pos    int
	opened []int // places of the braces that are not closed yet
	fields int
	tokens []lexer.Token
	faults []*Error
	limit  *Error
}

func (sc *scanner) scan() {
	for sc.limit == nil {
		if sc.field() {
			continue // a brace was opened: its first field follows
		}
		if sc.fieldEnd() {
			break
		}
	}
	sc.emit(lexer.EOF, "", len(sc.text))
}

// field reads up to the end of a field, or past the brace that opens a nested description, which it reports.
func (sc *scanner) field() (opened bool) {
	if sc.peek() != '[' && sc.peek() != '{' {
		start := sc.pos
		if text := sc.plain(true); sc.peek() == '=' {
			sc.emit(tokenKey, text, start)
			sc.pos++
		} else if text != "" {
			sc.emit(tokenText, text, start)
			return false
		}
	}
	return sc.value()
}

func (sc *scanner) value() (opened bool) {
	start := sc.pos
	switch sc.peek() {
	case '{':
		return sc.open()
	case '[':
		sc.quoted()
	default:
		if text := sc.plain(false); text != "" {
			sc.emit(tokenText, text, start)
		}
	}
	return false
}

// plain reads text up to the character that ends it, and an equals sign too where it could end a key.
func (sc *scanner) plain(key bool) string {
	start, escaped := sc.pos, false
	for ; sc.pos < len(sc.text); sc.pos++ {
		switch c := sc.text[sc.pos]; {
		case c == '\\':
			escaped = true
			if sc.pos+1 == len(sc.text) {
				sc.fault(sc.pos, sc.pos+1, `\\`, "a backslash at the end escapes nothing")
				continue
			}
			sc.pos++
		case c == ':' || c == '=' && key || c == '}' && len(sc.opened) > 0:
			return unescape(sc.text[start:sc.pos], escaped)
		}
	}
	return unescape(sc.text[start:sc.pos], escaped)
}

func (sc *scanner) quoted() {
	start := sc.pos
	length := strings.IndexByte(sc.text[start:], ']')
	if length < 0 {
		sc.fault(start, start+1, `\[`, "no ] closes this [")
		sc.pos = len(sc.text)
		sc.emit(tokenQuoted, sc.text[start+1:], start)
		return
	}
	sc.pos = start + length + 1
	sc.emit(tokenQuoted, sc.text[start+1:sc.pos-1], start)
	sc.closed("]")
}

func (sc *scanner) open() (opened bool) {
	if len(sc.opened) == MaxDepth {
		sc.limit = &Error{Start: sc.pos, End: sc.pos + 1, Message: fmt.Sprintf(
			"descriptions are nested deeper than the limit of %d levels", MaxDepth)}
		return false
	}
	sc.opened = append(sc.opened, sc.pos)
	sc.emit(tokenOpen, "{", sc.pos)
	sc.pos++
	sc.countField()
	return true
}

// fieldEnd reads what follows a field, up to the start of the next one; it reports the end of the input.
func (sc *scanner) fieldEnd() (end bool) {
	for sc.limit == nil {
		switch {
		case sc.pos == len(sc.text):
			sc.unclosed()
			return true
		case sc.text[sc.pos] == ':':
			sc.emit(tokenColon, ":", sc.pos)
			sc.pos++
			sc.countField()
			return false
		default: // a closing brace: plain, closed and the empty field stop nowhere else
			sc.opened = sc.opened[:len(sc.opened)-1]
			sc.emit(tokenClose, "}", sc.pos)
			sc.pos++
			sc.closed("}")
		}
	}
	return true
}

// closed skips, and reports, what stands between a bracket or brace that closed a value and the end of the field.
func (sc *scanner) closed(by string) {
	start := sc.pos
	sc.plain(false)
	if sc.pos == start {
		return
	}
	hint := "only a colon or the end"
	if len(sc.opened) > 0 {
		hint = "only a colon or }"
	}
	sc.fault(start, sc.pos, "", fmt.Sprintf("%s may follow the %s that closes a value", hint, by))
}

func (sc *scanner) unclosed() {
	for i := len(sc.opened) - 1; i >= 0; i-- {
		sc.fault(sc.opened[i], sc.opened[i]+1, `\{`, "no } closes this {")
		sc.emit(tokenClose, "", len(sc.text))
	}
}

func (sc *scanner) countField() {
	sc.fields++
	if sc.fields > MaxFields {
		sc.limit = &Error{Start: sc.pos, End: len(sc.text), Message: fmt.Sprintf(
			"the description has more than the limit of %d fields", MaxFields)}
	}
}

func (sc *scanner) peek() byte {
	if sc.pos < len(sc.text) {
		return sc.text[sc.pos]
	}
	return 0
}

func (sc *scanner) emit(kind lexer.TokenType, value string, at int) {
	sc.tokens = append(sc.tokens, lexer.Token{Type: kind, Value: value, Pos: lexer.Position{Offset: at}})
}

func (sc *scanner) fault(start, end int, fix, message string) {
	if len(sc.faults) < maxFaults {
		sc.faults = append(sc.faults, &Error{Start: start, End: end, Fix: fix, Message: message})
	}
}

// checkCharacters reports what never belongs in an endpoint, also in brackets and behind a backslash.
func (sc *scanner) checkCharacters() {
	for i := 0; i < len(sc.text); {
		if c := sc.text[i]; c >= ' ' && c < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(sc.text[i:])
		if r == utf8.RuneError && size == 1 {
			sc.fault(i, i+1, "", fmt.Sprintf("the byte %#02x is not valid UTF-8", sc.text[i]))
		} else if what := refused(r); what != "" {
			sc.fault(i, i+size, "", fmt.Sprintf("%s (%U) is not allowed in an endpoint", what, r))
		}
		i += size
	}
}

// refused names the kind of a character that no endpoint may contain, "" for all others.
func refused(r rune) string {
	switch {
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return "the control character"
	case r == '\u2028' || r == '\u2029':
		return "the line separator"
	case r == '\u061c' || r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069':
		return "the text direction control" // it makes a string look like another: CVE-2021-42574
	}
	return ""
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

// definition tells participle the tokens; it lexes for whoever has only a reader, which here is nobody but the tests.
type definition struct{}

func (definition) Symbols() map[string]lexer.TokenType {
	return map[string]lexer.TokenType{
		"EOF": lexer.EOF, "Key": tokenKey, "Text": tokenText, "Quoted": tokenQuoted,
		":": tokenColon, "{": tokenOpen, "}": tokenClose,
	}
}

func (definition) Lex(_ string, r io.Reader) (lexer.Lexer, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	tokens, faults := scan(string(text))
	return &tokenStream{tokens}, Join(faults...)
}

// tokenStream is the lexer that participle takes the tokens from.
type tokenStream struct{ tokens []lexer.Token }

func (s *tokenStream) Next() (lexer.Token, error) {
	t := s.tokens[0]
	if t.Type != lexer.EOF {
		s.tokens = s.tokens[1:]
	}
	return t, nil
}
