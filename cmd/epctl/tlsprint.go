package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/epctl/endpoint/grammar"
)

// tell writes the report with err, which ended the dial.
func (r *tlsReport) tell(a *app, asJSON bool, err error) error {
	r.OK = err == nil
	if !asJSON {
		return errors.Join(a.out.print(r.text(a.out, time.Now())), err)
	}
	if r.Errors = grammar.All(err); err != nil && len(r.Errors) == 0 {
		r.Error = err.Error()
	}
	if wrong := a.out.json(r); wrong != nil {
		return wrong
	}
	return signalOrTold(err)
}

// signalOrTold is the error of a verb that has told err.
func signalOrTold(err error) error {
	var signal interrupted
	if errors.As(err, &signal) {
		return signal
	}
	return told(err != nil)
}

// text shows the report to people; what ended it is told on stderr.
func (r *tlsReport) text(o *output, now time.Time) string {
	var b strings.Builder
	b.WriteString(o.heading(printable(r.Input)))
	if facts := r.facts(o); facts != "" {
		b.WriteString("\n" + facts)
	}
	for i, c := range r.Chain {
		b.WriteString("\n" + o.faint(c.title(i)) + "\n" + c.text(o, now))
	}
	if stages := r.timing(o); stages != "" {
		b.WriteString("\n" + stages)
	}
	if r.raced {
		b.WriteString("\n" + r.race.text(o))
	}
	return b.String()
}

func (c certificate) title(i int) string {
	switch {
	case !c.Sent:
		return "trust root"
	case i == 0:
		return "certificate of the server"
	}
	return "certificate " + strconv.Itoa(i+1) + " of the chain"
}

func (r *tlsReport) facts(o *output) string {
	rows := table{chops: true}
	add := func(name, text string, paint func(string) string) {
		if text != "" {
			rows.add(cell{name, o.faint}, cell{shorten(printable(text)), paint})
		}
	}
	if r.Local != "" {
		add("connected", r.Local+" to "+r.Remote, nil)
	}
	if n := r.negotiated; n != nil {
		add("version", n.Version, nil)
		add("cipher", n.Cipher, nil)
		add("key exchange", n.KeyExchange, nil)
		add("ALPN", orNone(n.ALPN), nil)
		add("resumed", yesNo(n.Resumed), nil)
	}
	if v := r.Verified; v != nil {
		paint := o.bad
		if v.OK {
			paint = o.good
		}
		add("verified", v.text(), paint)
	}
	if len(r.others) > 0 {
		add("others", strings.Join(r.others, ", ")+" showed other certificates, which were not accepted either", nil)
	}
	return rows.text(o.width)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// text says it in a sentence.
func (v *verification) text() string {
	switch {
	case v.None && v.Pinned:
		return "by its pinned key alone: chain, name and validity were not looked at (verify=none)"
	case v.None:
		return "no: anybody can be the server (verify=none)"
	case !v.OK && v.Name != "":
		return "no, not for " + v.Name + ": " + v.Reason
	case !v.OK:
		return "no: " + v.Reason
	}
	text, from := "by the root "+v.Root, v.From
	if v.Name != "" {
		text = "for " + v.Name + ", " + text
	}
	if from == "system" {
		from = "the system"
	}
	text += " of " + from
	if v.Pinned {
		text += "; its key is pinned"
	}
	return text
}

// timing shows the stages.
func (r *tlsReport) timing(o *output) string {
	rows := table{chops: true}
	for _, s := range r.Stages {
		what, paint := s.What, o.faint
		if s.cause != "" {
			what, paint = "failed: "+s.cause, o.bad
		}
		rows.add(cell{shorten(printable(s.Stage)), nil}, cell{elapsed(s.elapsed), nil}, cell{shorten(printable(what)), paint})
	}
	if len(r.Stages) > 0 {
		rows.add(cell{"all together", nil}, cell{elapsed(r.total), nil}, cell{})
	}
	return rows.text(o.width)
}
