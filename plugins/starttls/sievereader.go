package starttls

import (
	"strconv"
	"strings"
)

// A sieveResponse is what a server of ManageSieve answers.
type sieveResponse struct {
	capabilities []string // their names
	status       string   // OK, NO or BYE
	line         string   // the last one, as it came
}

// A token is a part of a line. A literal is one too, and the line goes on behind it.
type token struct {
	kind byte // '"' for a string, quoted or literal; 'a' for an atom; '(' and ')'
	text string
}

// maxQuoted is the longest quoted string, RFC 5804 section 4.
const maxQuoted = 1024

// sieveResponse reads lines of capabilities and the status behind them (RFC 5804 section 4: response-capability and
// response-oknobye).
func (d *dialogue) sieveResponse() (sieveResponse, error) {
	var r sieveResponse
	for range maxLines {
		tokens, line, err := d.sieveTokens()
		if err != nil {
			return r, err
		}
		switch shape := shapeOf(tokens); {
		case shape == `"`, shape == `""`:
			r.capabilities = append(r.capabilities, tokens[0].text)
			continue
		case !isStatus(shape):
			return r, d.broken(line, "neither a capability nor a status")
		}
		r.line, r.status = line, strings.ToUpper(tokens[0].text)
		if r.status != "OK" && r.status != "NO" && r.status != "BYE" {
			return r, d.broken(line, "neither OK nor NO nor BYE")
		}
		return r, nil
	}
	return r, d.broken("", "a response of more than %d lines", maxLines)
}

// shapeOf are the kinds of the tokens.
func shapeOf(tokens []token) string {
	var shape strings.Builder
	for _, t := range tokens {
		shape.WriteByte(t.kind)
	}
	return shape.String()
}

// isStatus reports whether tokens of that shape are an atom, a code in parentheses if any, and a string if any. What the
// code says, a referral for one, is not for us.
func isStatus(shape string) bool {
	rest, ok := strings.CutPrefix(shape, "a")
	if !ok {
		return false
	}
	if strings.HasPrefix(rest, "(") {
		end := closing(rest)
		if end < 2 {
			return false
		}
		rest = rest[end+1:]
	}
	return rest == "" || rest == `"`
}

// closing is where the parenthesis that s begins with is closed, or 0.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return i
		}
	}
	return 0
}

// sieveTokens reads a line with its literals. What it returns as the line is the first part of that.
func (d *dialogue) sieveTokens() (tokens []token, line string, err error) {
	if line, err = d.line(); err != nil {
		return nil, "", err
	}
	for rest, apart := line, true; ; apart = false {
		more, size, ok := scan(rest, apart)
		tokens = append(tokens, more...)
		switch {
		case !ok:
			return nil, "", d.broken(line, "not a line of ManageSieve")
		case size < 0:
			return tokens, line, nil
		case size > maxLine || len(tokens) > maxLines:
			return nil, "", d.broken(line, "a literal of more than %d bytes, or too many", maxLine)
		}
		text, err := d.next(size)
		if err != nil {
			return nil, "", err
		}
		tokens = append(tokens, token{'"', string(text)})
		if rest, err = d.line(); err != nil {
			return nil, "", err
		}
	}
}

// scan takes a line apart, up to a literal, whose size is -1 where there is none. Apart says that what comes first needs no
// space before it, as at the beginning of a line.
func scan(line string, apart bool) (tokens []token, size int, ok bool) {
	for line != "" {
		c := line[0]
		if (c == ' ' || c == ')') == apart { // one space between two parts, and none beside a parenthesis
			return nil, 0, false
		}
		switch c {
		case ' ':
			line, apart = line[1:], true
			continue
		case '{':
			size, ok := literalSize(line)
			return tokens, size, ok
		}
		t, rest, ok := takeToken(line)
		if !ok {
			return nil, 0, false
		}
		tokens = append(tokens, t)
		line, apart = rest, t.kind == '('
	}
	return tokens, -1, !apart
}

func takeToken(s string) (t token, rest string, ok bool) {
	switch s[0] {
	case '(', ')':
		return token{s[0], s[:1]}, s[1:], true
	case '"':
		return takeQuoted(s)
	}
	end := strings.IndexAny(s+" ", ` (){"`)
	return token{'a', s[:end]}, s[end:], true
}

// literalSize takes the end of a line for the beginning of a literal, which a server writes without a plus.
func literalSize(s string) (size int, ok bool) {
	digits, ok := strings.CutSuffix(s[1:], "}")
	n, err := strconv.ParseUint(digits, 10, 32)
	return int(min(n, maxLine+1)), ok && err == nil
}

// takeQuoted takes a quoted string off the front of s. A backslash stands before a quote or another backslash only.
func takeQuoted(s string) (t token, rest string, ok bool) {
	text := []byte{}
	for i := 1; i < len(s) && len(text) <= maxQuoted; i++ {
		switch {
		case s[i] == '"':
			return token{'"', string(text)}, s[i+1:], true
		case s[i] == '\\':
			if i++; i == len(s) || s[i] != '"' && s[i] != '\\' {
				return token{}, "", false
			}
		}
		text = append(text, s[i])
	}
	return token{}, "", false
}
