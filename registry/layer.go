package registry

import "github.com/epctl/endpoint/grammar"

// A Layer is one endpoint of a description, with its parameters as they were decoded.
type Layer struct {
	Plugin      Plugin
	Role        Role
	Description *grammar.Description
	Args        []LayerArg
	Warnings    []*grammar.Error // what is right but not wise

	secrets []grammar.Span // of the whole input
}

// A LayerArg is one parameter of a layer.
type LayerArg struct {
	Arg
	Fields []*grammar.Field // where it is given; none for a default
	Inner  []*Layer         // the endpoints that it holds
}

// Shown is the value as text that may be shown: a secret is "***".
func (a LayerArg) Shown() string {
	switch {
	case a.Given && a.Param.Secret() && a.Text != "":
		return redacted
	case a.Given:
		return a.Text
	}
	return a.Param.Default
}

// Text is the layer's description in canonical form, with secrets redacted. Only what was given is in it.
func (l *Layer) Text() string { return redact(l.Description, l.secrets).String() }

// Walk calls f for l and then for each layer inside it, outermost first, with its depth.
func (l *Layer) Walk(f func(l *Layer, depth int)) { l.walk(f, 0) }

func (l *Layer) walk(f func(*Layer, int), depth int) {
	f(l, depth)
	for _, arg := range l.Args {
		for _, inner := range arg.Inner {
			inner.walk(f, depth+1)
		}
	}
}

// redact returns d with the values at the given places replaced, at any depth.
func redact(d *grammar.Description, secrets []grammar.Span) *grammar.Description {
	out := &grammar.Description{Fields: make([]grammar.Field, len(d.Fields))}
	copy(out.Fields, d.Fields)
	for i := range out.Fields {
		f := &out.Fields[i]
		for _, s := range secrets {
			switch {
			case s == f.ValueSpan:
				f.Value, f.Nested = redacted, nil
			case s.Start >= f.ValueSpan.Start && s.End <= f.ValueSpan.End:
				if inner, _ := d.Fields[i].Description(); inner != nil {
					f.Value, f.Nested = "", redact(inner, secrets)
				}
			}
		}
	}
	return out
}

// mask overwrites the places of secrets in the input by asterisks, so that the places of all else stay the same.
func mask(input string, secrets []grammar.Span) string {
	if len(secrets) == 0 {
		return input
	}
	b := []byte(input)
	for _, s := range secrets {
		for i := s.Start; i < s.End; i++ {
			b[i] = '*'
		}
	}
	return string(b)
}

// hideAll masks the whole input, for errors of a description of which nothing could be made out.
func hideAll(err error) error {
	for _, e := range grammar.All(err) {
		e.Input = mask(e.Input, []grammar.Span{{Start: 0, End: len(e.Input)}})
	}
	return err
}
