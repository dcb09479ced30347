package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// supplied returns the server's string with a throw-away certificate for each of its layers that speaks TLS and has been
// given none; s itself and nil where all have what they need, or where that alone makes no server of it.
func (a *app) supplied(s string) (string, *throwaway, error) {
	_, layer, _ := a.registry.Build(s, registry.RoleServer)
	if layer == nil {
		return s, nil, nil
	}
	names := namesLacking(layer)
	d, err := grammar.Parse(s)
	if names == nil || err != nil {
		return s, nil, nil
	}
	made, err := newThrowaway(names)
	if err != nil {
		return s, nil, err
	}
	made.supply(d, layer)
	out := d.Text(grammar.Brackets)
	if _, _, err := a.registry.Build(out, registry.RoleServer); err != nil {
		made.remove()
		return s, nil, nil
	}
	return out, made, nil
}

// namesLacking are names for a certificate: nil where none is lacking.
func namesLacking(layer *registry.Layer) (names []string) {
	layer.Walk(func(l *registry.Layer, _ int) {
		if !lacksCertificate(l) || names != nil {
			return
		}
		names = []string{"localhost", "127.0.0.1", "::1"}
		if host, ok := givenText(l, "host"); ok && !slices.Contains(names, host) {
			names = append([]string{host}, names...)
		}
	})
	return names
}

// certificateParam is what a server of TLS calls its certificate; "" where l is none.
func certificateParam(l *registry.Layer) string {
	if l.Role != registry.RoleServer {
		return ""
	}
	for _, name := range []string{"certificate", "certKey"} {
		if hasParam(l, name) && hasParam(l, "privateKey") {
			return name
		}
	}
	return ""
}

func hasParam(l *registry.Layer, name string) bool {
	return slices.ContainsFunc(l.Plugin.Params(l.Role), func(p registry.Param) bool { return p.Name == name })
}

// lacksCertificate says that l is a server of TLS that was given no certificate, and finds none where it looks by default.
func lacksCertificate(l *registry.Layer) bool {
	if certificateParam(l) == "" {
		return false
	}
	for _, arg := range l.Args {
		switch name := arg.Param.Name; {
		case arg.Given && (name == "certificate" || name == "certKey" || name == "privateKey" || name == "path"):
			return false
		case name == "privateKey" && arg.Param.Default != "":
			if _, err := os.Stat(arg.Param.Default); !errors.Is(err, fs.ErrNotExist) {
				return false
			}
		}
	}
	return true
}

func givenText(l *registry.Layer, name string) (string, bool) {
	for _, arg := range l.Args {
		if arg.Param.Name == name && arg.Given {
			return arg.Shown(), arg.Shown() != ""
		}
	}
	return "", false
}

// supply adds the certificate to d, the description of layer as it was parsed, wherever it is lacking.
func (t *throwaway) supply(d *grammar.Description, layer *registry.Layer) {
	for _, arg := range layer.Args {
		for i, inner := range arg.Inner {
			switch {
			case inner.Role != registry.RoleServer:
			case len(arg.Fields) == len(arg.Inner):
				t.supplyField(d, arg.Fields[i].ValueSpan, inner)
			case len(arg.Inner) == 1: // as all remaining fields of d
				t.supply(d, inner)
			}
		}
	}
	if lacksCertificate(layer) {
		d.Fields = append(d.Fields,
			grammar.Field{Key: certificateParam(layer), Keyed: true, Value: t.cert},
			grammar.Field{Key: "privateKey", Keyed: true, Value: t.key})
	}
}

func (t *throwaway) supplyField(d *grammar.Description, span grammar.Span, inner *registry.Layer) {
	at := slices.IndexFunc(d.Fields, func(f grammar.Field) bool { return f.ValueSpan == span })
	if at < 0 || namesLacking(inner) == nil {
		return
	}
	f := &d.Fields[at]
	nested, err := f.Description()
	if err != nil {
		return
	}
	t.supply(nested, inner)
	f.Nested, f.Value = nested, ""
}
