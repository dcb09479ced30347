package starttls

import (
	"errors"
	"fmt"
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

// check checks the characters.
func (r *xmlReader) check(text, markup string) error {
	other := func(c rune) bool { return !isXMLChar(c) }
	if !utf8.ValidString(text+markup) || strings.ContainsFunc(text+markup, other) || strings.Contains(text, "]]>") {
		return errors.New("a character that is none of XML")
	}
	_, err := xmlUnescape(text)
	return err
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
		return xmlName{}, fmt.Errorf("the prefix %.64q is not declared", prefix)
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
