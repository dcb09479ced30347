package registry

import (
	"slices"
	"strings"

	"github.com/epctl/endpoint/grammar"
)

// A vocabulary is what is known of the parameters that a description may have: what in it may be a secret, though no
// parameter takes it, follows from that.
type vocabulary struct {
	words      []string        // all parameters
	open       map[string]bool // those that are never secret
	secrets    []string        // those that are
	positional bool            // one of them may be given without its key
}

func (v *vocabulary) add(params []Param) {
	for _, p := range params {
		if p.Secret() {
			v.secrets = append(v.secrets, p.Name)
			v.positional = v.positional || p.Positional
		}
	}
	for _, p := range params {
		if v.open == nil {
			v.open = make(map[string]bool)
		}
		_, known := v.open[p.Name]
		if !known {
			v.words = append(v.words, p.Name)
		}
		v.open[p.Name] = !p.Secret() && !p.Map && (!known || v.open[p.Name])
	}
}

// vocabularyOf returns that of the given plugins, in all their roles.
func vocabularyOf(plugins ...Plugin) *vocabulary {
	v := new(vocabulary)
	for _, p := range plugins {
		for _, role := range p.Roles() {
			v.add(p.Params(role))
		}
	}
	return v
}

// suspects reports whether the value of f, which no parameter has taken, may be a secret: one that was misspelled, or
// the rest of one that had an equals sign in it, or if it may follow one, a colon.
func (v *vocabulary) suspects(f *grammar.Field, follows bool) bool {
	switch {
	case !f.Keyed:
		return f.Nested == nil && (v.positional || follows || v.lookalike(f))
	case soundsSecret(f.Key):
		return true
	case len(v.secrets) == 0:
		return false
	}
	near := nearest(f.Key, v.words)
	return near == "" || !v.open[near]
}

// lookalike reports whether a value without a key was meant to have that of a secret: its equals sign is missing, or a
// colon stands for it.
func (v *vocabulary) lookalike(f *grammar.Field) bool {
	return !f.Keyed && f.Nested == nil && slices.ContainsFunc(v.secrets, func(name string) bool {
		return strings.HasPrefix(lowerASCII(f.Value), lowerASCII(name))
	})
}

func soundsSecret(key string) bool {
	key = lowerASCII(key)
	return slices.ContainsFunc([]string{"pass", "pwd", "secret", "token", "credential"}, func(word string) bool {
		return strings.Contains(key, word)
	})
}

// guess returns the vocabulary of the plugin that d names, or nearly names, and that of all plugins where there is none.
func (r *Registry) guess(d *grammar.Description) *vocabulary {
	i := nameField(d)
	if i < 0 {
		return r.allWords()
	}
	if p, ok := r.Lookup(nearest(strings.TrimSpace(d.Fields[i].Value), r.names())); ok {
		return vocabularyOf(p)
	}
	v := *r.allWords()
	if i+1 < len(d.Fields) && isPort(&d.Fields[i+1]) {
		v.positional = false // a host and a port without a name before them
	}
	return &v
}

// allWords returns the vocabulary of all plugins.
func (r *Registry) allWords() *vocabulary {
	if r.vocabulary == nil {
		return new(vocabulary)
	}
	return r.vocabulary()
}

// hideSuspects hides what may be a secret in a description that is not decoded. Its name is shown: the fault is there.
func (c *compiler) hideSuspects(d *grammar.Description, depth int) {
	v := c.registry.guess(d)
	name := nameField(d)
	follows := false
	for i := range d.Fields {
		switch f := &d.Fields[i]; {
		case i != name || f.Nested != nil:
			follows = c.hideSuspect(v, f, follows, depth)
		case !c.covers(f.ValueSpan):
			c.mislaid(f, depth)
		}
	}
}

// hideSuspect hides a field that is not decoded, if it may be a secret, or else what in it may be one. It reports
// whether it hid the field.
func (c *compiler) hideSuspect(v *vocabulary, f *grammar.Field, follows bool, depth int) bool {
	suspect := v.suspects(f, follows)
	switch {
	case suspect && f.Keyed && v.positional && !v.names(f):
		c.hideKey(f)
		return true
	case suspect, depth > grammar.MaxDepth:
		c.hide(f)
		return true
	case len(c.syntax) > 0 && len(c.spans) > 0 && !v.open[f.Key]:
		c.hide(f) // where the syntax is broken, it may be a part of any value before it
		return true
	case f.Nested != nil:
		c.hideSuspects(f.Nested, depth+1)
		return false
	}
	if inner := c.namedIn(f); inner != nil {
		c.hideSuspects(inner, depth+1)
		return false
	}
	return c.mislaid(f, depth)
}

// namedIn returns the description that a text is, if it names a plugin, or nearly does.
func (c *compiler) namedIn(f *grammar.Field) *grammar.Description {
	if !strings.ContainsAny(f.Value, ":=") {
		return nil
	}
	d, _ := f.Description()
	if d == nil {
		return nil
	}
	i := nameField(d)
	if i < 0 || nearest(strings.TrimSpace(d.Fields[i].Value), c.registry.names()) == "" {
		return nil
	}
	return d
}

// hideLookalikes hides values without a key in a layer that is at fault: those that were meant as a secret, and those
// that follow one, for it may have had a colon in it.
func (c *compiler) hideLookalikes(layer *Layer, params []Param) {
	v := new(vocabulary)
	v.add(params)
	name, follows := nameField(layer.Description), false
	for i := range layer.Description.Fields {
		switch f := &layer.Description.Fields[i]; {
		case f.Keyed:
			follows = v.names(f)
		case i != name && f.Nested == nil:
			if follows = follows || v.lookalike(f); follows {
				c.hide(f)
			}
		}
	}
}

// names reports whether the key of f is that of a secret, or nearly is.
func (v *vocabulary) names(f *grammar.Field) bool {
	return f.Keyed && (soundsSecret(f.Key) || nearest(f.Key, v.secrets) != "")
}

// mislaid hides the value of f, and reports true, if it is a text with a secret in it and its key, as when brackets were
// put around the field instead of its value. It is for values that are told to be wrong.
func (c *compiler) mislaid(f *grammar.Field, depth int) bool {
	if f.Nested != nil || !strings.Contains(f.Value, "=") {
		return false
	}
	inner, _ := f.Description()
	if inner == nil || depth < grammar.MaxDepth && !c.holdsSecret(inner, depth+1) {
		return false
	}
	c.hide(f)
	return true
}

func (c *compiler) holdsSecret(d *grammar.Description, depth int) bool {
	v := c.registry.allWords()
	return slices.ContainsFunc(d.Fields, func(f grammar.Field) bool {
		switch {
		case v.names(&f):
			return true
		case f.Nested != nil:
			return c.holdsSecret(f.Nested, depth+1)
		}
		return c.mislaid(&f, depth)
	})
}
