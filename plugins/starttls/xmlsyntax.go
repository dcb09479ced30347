package starttls

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// xmlSplit takes a tag apart into its name and its attributes.
func xmlSplit(s string) (name string, attrs map[string]string, err error) {
	name, rest := cutXMLName(s)
	if name == "" {
		return "", nil, errors.New("a tag without a name")
	}
	attrs = make(map[string]string)
	for rest != "" {
		after := strings.TrimLeft(rest, " \t\r\n")
		if after == "" {
			break
		}
		var attr, value string
		attr, after = cutXMLName(after)
		value, after, err = cutXMLValue(after)
		_, twice := attrs[attr]
		switch {
		case err != nil:
			return "", nil, err
		case attr == "" || !isXMLSpace(rest[0]):
			return "", nil, errors.New("an attribute without a name")
		case twice || len(attrs) == maxXMLAttrs:
			return "", nil, fmt.Errorf("the attribute %.64q twice, or more than %d", attr, maxXMLAttrs)
		}
		attrs[attr], rest = value, after
	}
	return name, attrs, nil
}

// cutXMLName takes a name, with a prefix or without, from the beginning of s.
func cutXMLName(s string) (name, rest string) {
	n := strings.IndexFunc(s, func(c rune) bool { return !isXMLNameChar(c) })
	if n < 0 {
		n = len(s)
	}
	name, rest = s[:n], s[n:]
	prefix, local, ok := strings.Cut(name, ":")
	if !startsXMLName(prefix) || ok && (!startsXMLName(local) || strings.Contains(local, ":")) {
		return "", s
	}
	return name, rest
}

func isXMLNameChar(c rune) bool {
	return c == ':' || c == '-' || c == '.' || '0' <= c && c <= '9' || isXMLNameStart(c)
}

func isXMLNameStart(c rune) bool {
	return c == '_' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || c >= 0xc0 && c != utf8.RuneError
}

func startsXMLName(s string) bool {
	c, _ := utf8.DecodeRuneInString(s)
	return isXMLNameStart(c)
}

// cutXMLValue takes an equals sign and a value in quotes from the beginning of s.
func cutXMLValue(s string) (value, rest string, err error) {
	s = strings.TrimLeft(s, " \t\r\n")
	if !strings.HasPrefix(s, "=") {
		return "", "", errors.New("an attribute without a value")
	}
	s = strings.TrimLeft(s[1:], " \t\r\n")
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return "", "", errors.New("a value without quotes")
	}
	value, rest, ok := strings.Cut(s[1:], s[:1])
	if !ok {
		return "", "", errors.New("a value without an end")
	}
	value, err = xmlUnescape(value)
	return value, rest, err
}

// xmlUnescape replaces references to characters and to the predefined entities. There are no others.
func xmlUnescape(s string) (string, error) {
	before, after, found := strings.Cut(s, "&")
	if !found {
		return s, nil
	}
	var b strings.Builder
	for found {
		b.WriteString(before)
		reference, rest, ok := strings.Cut(after, ";")
		c, known := xmlReference(reference)
		if !ok || !known {
			return "", errors.New("a reference to an entity")
		}
		b.WriteRune(c)
		before, after, found = strings.Cut(rest, "&")
	}
	b.WriteString(before)
	return b.String(), nil
}

func xmlReference(name string) (rune, bool) {
	if digits, ok := strings.CutPrefix(name, "#"); ok {
		base := 10
		if hex, ok := strings.CutPrefix(digits, "x"); ok {
			digits, base = hex, 16
		}
		n, err := strconv.ParseUint(digits, base, 21)
		return rune(n), err == nil && isXMLChar(rune(n))
	}
	c, ok := map[string]rune{"lt": '<', "gt": '>', "amp": '&', "apos": '\'', "quot": '"'}[name]
	return c, ok
}

// xmlDeclaration checks an XML declaration, of which RFC 6120 section 11.5 and 11.6 leave little choice.
func xmlDeclaration(markup string) error {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(markup, "?"), "?")
	name, attrs, err := xmlSplit(inner)
	switch encoding := attrs["encoding"]; {
	case err != nil:
		return err
	case !ok || name != "xml" || attrs["version"] != "1.0":
		return errors.New("no declaration of XML 1.0")
	case encoding != "" && !strings.EqualFold(encoding, "UTF-8"):
		return fmt.Errorf("the encoding %.64q", encoding)
	}
	return nil
}

// xmlSpaces are the namespaces that attributes declare (Namespaces in XML 1.0, section 3).
func xmlSpaces(attrs map[string]string) (map[string]string, error) {
	var spaces map[string]string
	for name, value := range attrs {
		prefix, local, ok := strings.Cut(name, ":")
		if prefix != "xmlns" {
			continue
		}
		if ok && (value == "" || local == "xml" || local == "xmlns") {
			return nil, fmt.Errorf("%.64q can't be %.64q", name, value)
		}
		if spaces == nil {
			spaces = make(map[string]string)
		}
		spaces[local] = value
	}
	return spaces, nil
}

func isXMLSpace(c byte) bool { return strings.IndexByte(" \t\r\n", c) >= 0 }

// isXMLChar reports whether a character is one of XML 1.0, section 2.2.
func isXMLChar(c rune) bool {
	return c >= ' ' && c != 0xfffe && c != 0xffff && utf8.ValidRune(c) || c == '\t' || c == '\r' || c == '\n'
}
