package registry

import (
	"slices"
	"strings"

	"github.com/epctl/endpoint/grammar"
)

// The value of a secret parameter is always hidden. But a string that is at fault may have a secret where none is
// declared: its key is misspelled, its colon or equals sign was not escaped, a bracket was closed too early. So where a
// string is at fault and anything in it hints at a secret, only that is shown which can hardly be one or a part of one.

// A vocabulary is what is known of the parameters of some plugins.
type vocabulary struct {
	words   []string        // all parameters
	open    map[string]bool // those that are never secret
	secrets []string        // those that are
	plugins []string        // the plugins that have secrets
}

func vocabularyOf(plugins ...Plugin) *vocabulary {
	v := &vocabulary{open: make(map[string]bool)}
	for _, p := range plugins {
		before := len(v.secrets)
		for _, role := range p.Roles() {
			v.add(p.Params(role))
		}
		if len(v.secrets) > before {
			v.plugins = append(v.plugins, p.Name)
		}
	}
	for _, name := range v.secrets {
		delete(v.open, name)
	}
	return v
}

func (v *vocabulary) add(params []Param) {
	for _, p := range params {
		v.words = append(v.words, p.Name)
		if p.Secret() {
			v.secrets = append(v.secrets, p.Name)
		}
		v.open[p.Name] = !p.Map
	}
}

// allWords returns the vocabulary of all plugins.
func (r *Registry) allWords() *vocabulary {
	if r.vocabulary == nil {
		return vocabularyOf()
	}
	return r.vocabulary()
}

// hints reports whether any word of a string is, or nearly is, that of a secret or of a plugin that has one.
func (v *vocabulary) hints(input string) bool {
	isSyntax := func(r rune) bool { return r >= 0x80 || !keyByte(byte(r)) }
	for at := 0; at < len(input); {
		length := strings.IndexFunc(input[at:], isSyntax)
		if length < 0 {
			length = len(input) - at
		}
		word, after := lowerASCII(input[at:at+length]), strings.TrimLeft(input[at+length:], `\`)
		isKey := strings.HasPrefix(after, "=")
		isName := at == 0 || strings.ContainsAny(input[at-1:at], "{[") ||
			len(after) < len(input)-at-length && strings.HasPrefix(after, ":") // an escaped colon follows
		if word != "" && (v.hintsSecret(word, isKey) || v.hintsPlugin(word, isName)) {
			return true
		}
		at += length + 1
	}
	return false
}

// hintsSecret is careful with short names, which occur in other words.
func (v *vocabulary) hintsSecret(word string, isKey bool) bool {
	if isKey && (soundsSecret(word) || nearest(word, v.secrets) != "") {
		return true
	}
	const short = 6
	return slices.ContainsFunc(v.secrets, func(name string) bool {
		name = lowerASCII(name)
		long := len(name) >= short
		return word == name || isKey && strings.HasSuffix(word, name) || long && (startsLike(word, name) || endsLike(word, name))
	})
}

func (v *vocabulary) hintsPlugin(word string, isName bool) bool {
	return slices.Contains(v.plugins, word) || isName && nearest(word, v.plugins) != "" ||
		isName && slices.ContainsFunc(v.plugins, func(name string) bool { return strings.Contains(word, name) })
}

// soundsSecret is for the keys of plugins that are not there.
func soundsSecret(key string) bool {
	return slices.ContainsFunc([]string{"pass", "pwd", "secret", "token", "credential"}, func(word string) bool {
		return strings.Contains(key, word)
	})
}

// startsLike reports whether text nearly starts with name, endsLike whether it nearly ends in it.
func startsLike(text, name string) bool {
	for n := len(name) - 1; n <= min(len(name)+1, len(text)); n++ {
		if distance(text[:n], name) <= 1 {
			return true
		}
	}
	return false
}

func endsLike(text, name string) bool {
	for n := len(name) - 1; n <= min(len(name)+1, len(text)); n++ {
		if distance(text[len(text)-n:], name) <= 1 {
			return true
		}
	}
	return false
}

// hideSuspects hides what may be a secret, if the string hints at one.
func (c *compiler) hideSuspects() {
	v := c.registry.allWords()
	isMeant := func(d *grammar.Description) bool { return v.hintsPlugin(nameIn(d), true) }
	has := func(a *assignment) bool { return slices.ContainsFunc(a.params, Param.Secret) }
	if !v.hints(c.input) && !slices.ContainsFunc(c.unknown, isMeant) && !slices.ContainsFunc(c.layers, has) {
		return
	}
	for _, a := range c.layers {
		a.hideSuspects()
	}
	for _, d := range c.unknown {
		c.hideUnknown(d, v, 0)
	}
	for _, e := range c.syntax { // what is too much may be a part of anything
		c.spans = append(c.spans, grammar.Span{Start: e.Start, End: e.End})
	}
}

// nameIn is what stands for a name in d, "" where nothing does.
func nameIn(d *grammar.Description) string {
	if i := nameField(d); i >= 0 {
		return strings.TrimSpace(d.Fields[i].Value)
	}
	return ""
}

// hideSuspects shows the values that are numbers, addresses and the like, and those of known keys; endpoints are layers
// of their own.
func (a *assignment) hideSuspects() {
	lacks := len(a.syntax) > 0 || lacksSecret(a.d, a.params)
	for i := range a.d.Fields {
		f := &a.d.Fields[i]
		known := a.index(f.Key)
		switch {
		case f == a.name || a.isSound(f):
		case f.Keyed && known >= 0 && !a.params[known].Secret() && a.isPlain(f):
		case f.Keyed && known < 0 && nearest(f.Key, a.names()) == "" && (lacks || !validName(f.Key)):
			a.hideKey(f)
		default:
			a.hide(f)
		}
	}
}

// isSound reports whether f is a value of a kind that has a form, and is right, or belongs to an endpoint.
func (a *assignment) isSound(f *grammar.Field) bool {
	i := slices.IndexFunc(a.fields, func(fields []*grammar.Field) bool { return slices.Contains(fields, f) })
	if i < 0 {
		return false
	}
	p := &a.params[i]
	_, bad := p.decode(f.Value)
	return p.Kind.Role() != "" || f.Nested == nil && bad == nil && !p.Secret() && (p.Kind != KindText || p.Enum != nil)
}

// isPlain reports whether a value can't have swallowed a field.
func (c *compiler) isPlain(f *grammar.Field) bool {
	return len(c.syntax) == 0 && f.Nested == nil && !strings.ContainsAny(f.Value, ":=")
}

// lacksSecret reports whether d does not have a secret that may be given without its key.
func lacksSecret(d *grammar.Description, params []Param) bool {
	position := -1 // the name has none
	for _, f := range d.Fields {
		if !f.Keyed {
			position++
		}
	}
	for _, p := range params {
		byKey := slices.ContainsFunc(d.Fields, func(f grammar.Field) bool { return f.Keyed && f.Key == p.Name })
		switch {
		case !p.Positional:
		case p.Secret() && !byKey && position <= 0:
			return true
		default:
			position--
		}
	}
	return false
}

// hideUnknown shows the name of a description that is not decoded, if it is near one that there is, and the values of
// known keys.
func (c *compiler) hideUnknown(d *grammar.Description, v *vocabulary, depth int) {
	name := nameField(d)
	for i := range d.Fields {
		f := &d.Fields[i]
		switch {
		case i == name && f.Nested == nil && nearest(nameIn(d), c.registry.names()) != "":
		case f.Nested != nil && depth < grammar.MaxDepth && (!f.Keyed || v.open[f.Key]):
			c.hideUnknown(f.Nested, v, depth+1)
		case f.Keyed && v.open[f.Key] && c.isPlain(f):
		case f.Keyed && nearest(f.Key, v.words) == "":
			c.hideKey(f)
		default:
			c.hide(f)
		}
	}
}
