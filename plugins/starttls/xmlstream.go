package starttls

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An xmlReader reads the beginning of a stream of XMPP tag by tag, and not a byte further than it says. It takes what RFC
// 6120 section 11.1 takes: no comments, no processing instructions, no DTD, no entities but the predefined ones; and not
// CDATA either, which nobody needs before TLS. What it reads is bounded by the limits of the dialogue.
type xmlReader struct {
	d     *dialogue
	open  []xmlElement // the elements that are open, the stream first
	tight bool         // no text is allowed, not even white space
}

// An xmlElement is one that is open.
type xmlElement struct {
	qualified string            // its name as written
	spaces    map[string]string // namespaces that it declares, by prefix
}

// An xmlName is a name of a namespace; the same one can have any prefix.
type xmlName struct{ space, local string }

// An xmlTag is a tag, or an element that is empty.
type xmlTag struct {
	name  xmlName
	attrs map[string]string // by name as written
	text  string            // before it
	end   bool
	empty bool
}

const (
	maxXMLDepth = 16
	maxXMLAttrs = 32
)

// next reads a tag. Where the reader is in the stream, outside of any of its elements, there is only white space before it.
func (r *xmlReader) next() (xmlTag, error) {
	first := len(r.d.spoken) == 0
	text, markup, err := r.scan()
	if err != nil {
		return xmlTag{}, err
	}
	tag, err := xmlTag{}, r.check(text, markup)
	if err == nil && first && text == "" && strings.HasPrefix(markup, "?") {
		if err = xmlDeclaration(markup); err == nil {
			return r.next()
		}
	}
	if err == nil {
		tag, err = r.tag(markup)
	}
	if err != nil {
		return xmlTag{}, r.d.broken(text+"<"+markup+">", "%w", err)
	}
	tag.text = text
	return tag, nil
}

// scan reads up to the end of a tag, and returns the text before it and what is between its brackets.
func (r *xmlReader) scan() (text, markup string, err error) {
	d := r.d
	start, quote := -1, byte(0)
	for i := 0; ; i++ {
		if i == len(d.buffer) {
			if err := d.read(); err != nil {
				return "", "", err
			}
		}
		switch c := d.buffer[i]; {
		case start < 0 && c == '<':
			start = i
		case start < 0 && !r.allowed(c):
			return "", "", d.broken(string(d.buffer), "text where none is due")
		case start < 0:
		case c == '<' || c == '!' && i == start+1:
			return "", "", d.broken(string(d.buffer), "neither a tag nor a declaration of XML")
		case c == quote:
			quote = 0
		case quote != 0:
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			raw := string(d.consume(i + 1))
			return raw[:start], raw[start+1 : i], nil
		}
	}
}

// allowed reports whether a character may stand between the tags here.
func (r *xmlReader) allowed(c byte) bool { return len(r.open) > 1 || !r.tight && isXMLSpace(c) }

// skipSpace takes white space that is there already.
func (r *xmlReader) skipSpace() {
	n := 0
	for n < len(r.d.buffer) && isXMLSpace(r.d.buffer[n]) {
		n++
	}
	r.d.consume(n)
}

func isXMLSpace(c byte) bool { return strings.IndexByte(" \t\r\n", c) >= 0 }

// isXMLChar reports whether a character is one of XML 1.0, section 2.2.
func isXMLChar(c rune) bool {
	return c >= ' ' && c != 0xfffe && c != 0xffff && utf8.ValidRune(c) || c == '\t' || c == '\r' || c == '\n'
}

// check checks the characters.
func (r *xmlReader) check(text, markup string) error {
	other := func(c rune) bool { return !isXMLChar(c) }
	if !utf8.ValidString(text+markup) || strings.ContainsFunc(text+markup, other) || strings.Contains(text, "]]>") {
		return errors.New("a character that is none of XML")
	}
	_, err := xmlUnescape(text)
	return err
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
		return fmt.Errorf("the encoding %q", encoding)
	}
	return nil
}

// tag makes a tag of what is between its brackets.
func (r *xmlReader) tag(markup string) (xmlTag, error) {
	if name, ok := strings.CutPrefix(markup, "/"); ok {
		return r.closing(strings.TrimRight(name, " \t\r\n"))
	}
	inner, empty := strings.CutSuffix(markup, "/")
	name, attrs, err := xmlSplit(inner)
	if err != nil {
		return xmlTag{}, err
	}
	if len(r.open) == maxXMLDepth {
		return xmlTag{}, fmt.Errorf("more than %d elements in each other", maxXMLDepth)
	}
	spaces, err := xmlSpaces(attrs)
	if err != nil {
		return xmlTag{}, err
	}
	r.open = append(r.open, xmlElement{name, spaces})
	tag := xmlTag{attrs: attrs, empty: empty}
	if tag.name, err = r.resolve(name); err != nil {
		return xmlTag{}, err
	}
	if empty {
		r.open = r.open[:len(r.open)-1]
	}
	return tag, nil
}

func (r *xmlReader) closing(name string) (xmlTag, error) {
	last := len(r.open) - 1
	if last < 0 || r.open[last].qualified != name {
		return xmlTag{}, errors.New("the end of an element that is not open")
	}
	resolved, err := r.resolve(name)
	r.open = r.open[:last]
	return xmlTag{name: resolved, end: true}, err
}

// resolve finds the namespace of an element, by what the elements that are open declare.
func (r *xmlReader) resolve(qualified string) (xmlName, error) {
	prefix, local, ok := strings.Cut(qualified, ":")
	if !ok {
		prefix, local = "", qualified
	}
	space, declared := r.space(prefix)
	if !declared && prefix != "" {
		return xmlName{}, fmt.Errorf("the prefix %q is not declared", prefix)
	}
	return xmlName{space, local}, nil
}

// space is the namespace that a prefix stands for here, "" being the default one's.
func (r *xmlReader) space(prefix string) (string, bool) {
	for i := len(r.open) - 1; i >= 0; i-- {
		if space, ok := r.open[i].spaces[prefix]; ok {
			return space, true
		}
	}
	return "", false
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
			return nil, fmt.Errorf("%s can't be %q", name, value)
		}
		if spaces == nil {
			spaces = make(map[string]string)
		}
		spaces[local] = value
	}
	return spaces, nil
}

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
			return "", nil, fmt.Errorf("the attribute %s twice, or more than %d", attr, maxXMLAttrs)
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
