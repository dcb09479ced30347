package main

import "strings"

// tell writes the report.
func (r *suiteReport) tell(a *app, asJSON bool) error {
	if asJSON {
		return a.out.json(r)
	}
	var b strings.Builder
	b.WriteString(paragraph(r.Program+versionText(r.Version), "", a.out.width))
	for _, p := range r.Plugins {
		b.WriteString("\n" + p.text(a.out))
	}
	return a.out.print(b.String())
}

// text shows each check, and below it what failed.
func (r *pluginReport) text(o *output) string {
	nouns := make([]string, len(r.Roles))
	for i, role := range r.Roles {
		nouns[i] = role.Noun()
	}
	text := paragraph(r.Name+", a "+strings.Join(nouns, " and a "), "", o.width)
	text = strings.Replace(text, r.Name, o.strong(r.Name), 1)
	for _, w := range r.Warnings {
		text += o.warning(paragraph("warning: "+w, "  ", o.width))
	}
	rows := table{indent: "  "}
	for _, c := range r.Checks {
		rows.add(cell{strings.ToUpper(c.Status[:1]) + c.Status[1:], c.paint(o)}, cell{text: printable(c.Name)}, cell{c.Why, o.faint})
		for _, f := range c.Failures {
			rows.below(f.text(o))
		}
	}
	text += rows.text(o.width)
	if r.Error != "" {
		text += o.bad(paragraph(r.Error, "  ", o.width))
	}
	return text + "  " + r.counts() + "\n"
}

func (c *checkReport) paint(o *output) func(string) string {
	switch c.Status {
	case "passed":
		return o.good
	case "failed":
		return o.bad
	}
	return o.faint
}

// text is the message, which may have several lines, and the rule.
func (f failure) text(o *output) string {
	const indent = "      "
	message := f.Message
	if f.Test != "" {
		message = f.Test + ": " + message
	}
	text := ""
	for line := range strings.SplitSeq(message, "\n") {
		text += paragraph(line, indent, o.width)
	}
	if f.Rule != "" {
		text += o.faint(paragraph("rule: "+f.Rule, indent, o.width))
	}
	return text
}

// paragraph is one line of text, broken where it is too long, with what a terminal would obey escaped.
func paragraph(text, indent string, width int) string {
	lines := wrap(printable(text), max(leastLast, width-len(indent)))
	return indent + strings.Join(lines, "\n"+indent) + "\n"
}
