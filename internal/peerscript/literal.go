package peerscript

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// split splits a line into words. A word is a Go string in double quotes or back quotes, a regular expression between
// slashes (\/ is a slash in it), or whatever stands until the next space; key="…" is one word.
func split(line string) ([]string, error) {
	var words []string
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" || line[0] == '#' {
			return words, nil
		}
		n, err := wordLen(line)
		if err != nil {
			return nil, err
		}
		words = append(words, line[:n])
		line = line[n:]
		if line != "" && line[0] != ' ' && line[0] != '\t' {
			return nil, fmt.Errorf("no space behind %s", words[len(words)-1])
		}
	}
}

// wordLen returns the length of the word that s begins with.
func wordLen(s string) (int, error) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ' || c == '\t':
			return i, nil
		case c == '"' || c == '`':
			quoted, err := strconv.QuotedPrefix(s[i:])
			if err != nil {
				return 0, fmt.Errorf("%s: %w", s[i:], err)
			}
			return i + len(quoted), nil
		case c == '/' && i == 0:
			for j := 1; j < len(s); j++ {
				if s[j] == '/' {
					return j + 1, nil
				}
				if s[j] == '\\' {
					j++
				}
			}
			return 0, fmt.Errorf("%s: no slash at the end", s)
		}
	}
	return len(s), nil
}

// literal returns the bytes that a word stands for: a quoted string, or hex digits behind 0x.
func literal(word string) ([]byte, error) {
	if digits, ok := strings.CutPrefix(word, "0x"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", word, err)
		}
		return b, nil
	}
	s, err := strconv.Unquote(word)
	if err != nil {
		return nil, fmt.Errorf("%s is neither a quoted string nor hex digits behind 0x", word)
	}
	return []byte(s), nil
}

// literals joins the bytes of several words.
func literals(words []string) ([]byte, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("no bytes given")
	}
	out := []byte{}
	for _, word := range words {
		b, err := literal(word)
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

// expression compiles /…/ to an expression that has to match the whole of what it is tried on.
func expression(word string) (*regexp.Regexp, error) {
	inner := strings.ReplaceAll(word[1:len(word)-1], `\/`, "/")
	re, err := regexp.Compile(`(?s)\A(?:` + inner + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", word, err)
	}
	return re, nil
}

func isExpression(word string) bool {
	return len(word) >= 2 && word[0] == '/' && word[len(word)-1] == '/'
}
