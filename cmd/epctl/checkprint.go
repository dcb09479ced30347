package main

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// A checkPrinter makes text or JSON of verdicts, and writes it in their order.
type checkPrinter struct {
	a       *app
	json    bool
	notes   bool // are told too
	shared  bool // stdout and stderr are one file
	started bool // something is on stdout
	drawn   bool // something is on stderr
	failed  bool
}

// A checkedBatch is what is to be written about a batch of strings.
type checkedBatch struct {
	out, err []byte
	failed   bool
}

func newCheckPrinter(a *app, json bool) *checkPrinter {
	return &checkPrinter{a: a, json: json, shared: sameFile(a.out, a.err)}
}

func (p *checkPrinter) answer(v verdict) answer {
	if p.json {
		return answer{out: ",\n" + objectOf(v), failed: v.wrong()}
	}
	if len(v.faults) > 0 {
		return answer{err: p.a.err.drawAll(v.faults), failed: true}
	}
	a := answer{failed: v.wrong()}
	if !a.failed {
		a.out = p.a.out.good("ok") + "  " + rolesText(v.roles) + "  " + printable(v.text) + "\n"
	}
	var told []string
	for _, e := range v.of(registry.LevelError) {
		told = append(told, p.a.err.draw(e))
	}
	for _, w := range append(v.of(registry.LevelWarning), v.warnings...) {
		told = append(told, p.a.err.warn(w))
	}
	if p.notes {
		for _, n := range v.of(registry.LevelNote) {
			told = append(told, p.a.err.note(n))
		}
	}
	a.err = strings.Join(told, "\n")
	return a
}

func objectOf(v verdict) string {
	c := checked{v.text, !v.wrong(), v.roles, v.faults, v.warnings, newFindings(v.findings)}
	if len(v.faults) == 0 {
		c.Errors = []*grammar.Error{}
	} else {
		c.Roles = []registry.Role{}
	}
	var b bytes.Buffer
	_ = newJSON(&b).Encode(c) // to memory
	return strings.TrimSuffix(b.String(), "\n")
}

func (p *checkPrinter) render(batch []text, known *answers) (b checkedBatch) {
	bad := &b.err
	if p.shared {
		bad = &b.out
	}
	for _, t := range batch {
		a := known.get(t.string)
		b.failed = b.failed || a.failed
		b.out = append(b.out, a.out...)
		if a.err == "" {
			continue
		}
		*bad = append(*bad, '\n')
		if t.line > 0 {
			*bad = append(*bad, p.a.err.faint("line "+strconv.Itoa(t.line)+":")+"\n"...)
		}
		*bad = append(*bad, a.err...)
	}
	return b
}

// emit writes a batch. In JSON each element is made with a comma before it, and each drawing with an empty line, which
// the first one has no use for.
func (p *checkPrinter) emit(b checkedBatch) error {
	p.failed = p.failed || b.failed
	switch {
	case p.started || len(b.out) == 0:
	case p.json:
		b.out[0] = '['
	default:
		b.out = bytes.TrimPrefix(b.out, []byte("\n"))
	}
	if !p.drawn {
		b.err = bytes.TrimPrefix(b.err, []byte("\n"))
	}
	p.started, p.drawn = p.started || len(b.out) > 0, p.drawn || len(b.err) > 0
	_, err := p.a.out.Write(b.out)
	if err == nil && len(b.err) > 0 {
		_, err = p.a.err.Write(b.err)
	}
	return err
}

func (p *checkPrinter) end() error {
	end := ""
	switch {
	case p.json && p.started:
		end = "\n]\n"
	case p.json:
		end = "[]\n"
	}
	if err := p.a.out.print(end); err != nil {
		return err
	}
	return told(p.failed)
}
