package registry

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/epctl/endpoint/grammar"
)

// A veil is what no error, warning or layer of one input may show.
type veil struct {
	spans []grammar.Span
	texts []string
}

// shortestSecret is the length from which on a secret is looked for in the messages of plugins; a shorter one guards
// nothing, and would hit other words.
const shortestSecret = 4

// hide hides the value of f, hideKey its key too: of what may be a secret with an equals sign in it. Where a secret is
// read from is no secret itself, so that messages may tell it.
func (v *veil) hide(f *grammar.Field) {
	v.spans = append(v.spans, f.ValueSpan)
	isList := strings.Contains(f.Value, ",")
	v.hideSecret(f.Value, isList)
	if !isList {
		return
	}
	for element := range strings.SplitSeq(f.Value, ",") {
		v.hideSecret(element, false)
	}
}

func (v *veil) hideSecret(text string, isList bool) {
	if source, rest := NewSecret(text).split(); source == "" || isList {
		v.hideText(text)
		v.hideText(rest)
	}
}

func (v *veil) hideKey(f *grammar.Field) {
	v.spans = append(v.spans, f.Span)
	v.hideText(f.Key)
	v.hide(f)
}

func (v *veil) hideText(text string) {
	if len(text) >= shortestSecret {
		v.texts = append(v.texts, text)
	}
}

// covers reports whether all of s is hidden.
func (v *veil) covers(s grammar.Span) bool {
	return slices.ContainsFunc(v.spans, func(h grammar.Span) bool { return h.Start <= s.Start && s.End <= h.End })
}

// touches reports whether some of s is hidden.
func (v *veil) touches(s grammar.Span) bool {
	return slices.ContainsFunc(v.spans, func(h grammar.Span) bool { return h.Start < s.End && s.Start < h.End })
}

// mask overwrites what is hidden in the input by asterisks, so that the places of all else stay the same.
func (v *veil) mask(input string) string {
	if len(v.spans) == 0 {
		return input
	}
	b := []byte(input)
	for _, s := range v.spans {
		for i := s.Start; i < s.End; i++ {
			b[i] = '*'
		}
	}
	return string(b)
}

// clean takes what is hidden out of faults.
func (v *veil) clean(faults []*grammar.Error, masked string) {
	hidden := v.replacer()
	reveals := func(text string) bool {
		bare := strings.ReplaceAll(text, `\`, "") // a fix may have escapes of any depth
		return hidden.Replace(text) != text || hidden.Replace(bare) != bare
	}
	for _, e := range faults {
		e.Input, e.Message = masked, hidden.Replace(e.Message)
		if reveals(e.Fix) {
			e.Fix = ""
		}
		if e.Err != nil && reveals(fmt.Sprintf("%v %+v %#v", e.Err, e.Err, e.Err)) {
			e.Err = nil
		}
	}
}

// replacer redacts the hidden texts, however they are quoted, the longest first.
func (v *veil) replacer() *strings.Replacer {
	var list []string
	unquote := func(s string) string { return s[1 : len(s)-1] }
	for _, text := range v.texts {
		list = append(list, text, strings.ReplaceAll(text, `\`, ""), grammar.Quote(text), unquote(strconv.Quote(text)),
			unquote(strconv.QuoteToGraphic(text)), unquote(strconv.QuoteToASCII(text)), unquote(quoted(text)))
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, text := range slices.Compact(list) {
		pairs = append(pairs, text, redacted)
	}
	return strings.NewReplacer(pairs...)
}

// seal takes what is hidden out of l and the layers in it. Their descriptions become copies, for the originals may
// belong to a caller.
func (v *veil) seal(l *Layer, masked string, faulty bool) {
	l.Walk(func(l *Layer, _ int) {
		for _, w := range l.Warnings {
			w.Input = masked
		}
		if len(v.spans) == 0 {
			return
		}
		original := l.Description
		l.Description = v.redact(original, masked)
		for i := range l.Args {
			v.redactArg(&l.Args[i], faulty)
			l.Args[i].move(original, l.Description)
		}
	})
}

// redactArg takes what is hidden out of an argument. In one that is neither a secret nor an endpoint something is hidden
// only where the string is at fault, and then no value is of use.
func (v *veil) redactArg(a *LayerArg, faulty bool) {
	if !slices.ContainsFunc(a.Fields, func(f *grammar.Field) bool { return v.touches(f.Span) }) {
		return
	}
	if a.Param.Kind.Role() == "" {
		a.Text = redacted
	}
	if faulty {
		a.Value = nil
	}
}

// move makes a point to the fields of a copy.
func (a *LayerArg) move(from, to *grammar.Description) {
	fields := make([]*grammar.Field, len(a.Fields)) // the old ones still serve to place findings
	for i, f := range a.Fields {
		at := slices.IndexFunc(from.Fields, func(g grammar.Field) bool { return g.Span == f.Span })
		fields[i] = &to.Fields[at]
	}
	a.Fields = fields
}

// redact returns a copy of d without what is hidden, which knows nothing of the text that d was read from.
func (v *veil) redact(d *grammar.Description, masked string) *grammar.Description {
	out := &grammar.Description{Fields: make([]grammar.Field, len(d.Fields)), Span: d.Span, Input: masked}
	for i := range d.Fields {
		f := &d.Fields[i]
		g := grammar.Field{Key: f.Key, Keyed: f.Keyed, Value: f.Value, Span: f.Span, KeySpan: f.KeySpan, ValueSpan: f.ValueSpan}
		if f.Keyed && v.covers(f.KeySpan) {
			g.Key = redacted
		}
		switch inner := v.inner(f); {
		case inner != nil:
			g.Value, g.Nested = "", v.redact(inner, masked)
		case v.touches(f.ValueSpan):
			g.Value = redacted
		}
		out.Fields[i] = g
	}
	return out
}

// inner returns the description that a value is, if something in it is hidden and not all of it.
func (v *veil) inner(f *grammar.Field) *grammar.Description {
	switch {
	case v.covers(f.ValueSpan) || f.Nested == nil && !v.touches(f.ValueSpan):
		return nil
	case f.Nested != nil:
		return f.Nested
	}
	d, _ := f.Description()
	if d == nil || len(d.Fields) == 1 && !d.Fields[0].Keyed && d.Fields[0].Nested == nil {
		return nil // is no shorter than f
	}
	return d
}

// hideAll masks the whole input, for errors of a description of which nothing could be made out.
func hideAll(err error) error {
	for _, e := range grammar.All(err) {
		e.Input = strings.Repeat("*", len(e.Input))
	}
	return err
}
