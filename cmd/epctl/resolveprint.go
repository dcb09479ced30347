package main

import (
	"errors"
	"net"
	"strconv"
	"strings"
)

// text shows what each resolver knows.
func (r resolution) text(o *output) string {
	var b strings.Builder
	b.WriteString(o.strong(printable(r.Host)))
	if r.Asked != r.Host {
		b.WriteString(", looked up as " + printable(r.Asked))
	}
	b.WriteString("\n")
	for _, answer := range r.Answers {
		b.WriteString("\n" + answer.text(o))
	}
	return b.String()
}

func (a *answered) text(o *output) string {
	var b strings.Builder
	indent := strings.Repeat("    ", a.Depth)
	for _, line := range chop(printable(a.Resolver), max(leastLast, o.width-len(indent))) {
		b.WriteString(indent + line + "\n")
	}
	b.WriteString(a.lookups(o, indent+"  "))
	b.WriteString(a.order(o, indent+"  "))
	return b.String()
}

// order shows the addresses; where one is too long for a column, the reasons stand below them.
func (a *answered) order(o *output, indent string) string {
	rows, long := table{indent: indent}, false
	for _, c := range a.Order {
		long = long || len(c.Addr.String()) > mostColumn
	}
	for i, c := range a.Order {
		number, addr := cell{strconv.Itoa(i + 1), o.faint}, cell{printable(c.Addr.String()), o.strong}
		if !long {
			rows.add(number, addr, cell{text: c.reason()})
			continue
		}
		rows.add(number, addr)
		for _, line := range wrap(c.reason(), max(leastLast, o.width-len(indent)-5)) {
			rows.below(indent + "     " + line + "\n")
		}
	}
	return rows.text(o.width)
}

// lookups shows how each question was answered.
func (a *answered) lookups(o *output, indent string) string {
	rows := table{indent: indent}
	for _, l := range a.Lookups {
		text, paint := strconv.Itoa(len(l.Addrs))+" addresses", o.faint
		switch {
		case l.err != nil:
			text, paint = lookupCause(l.err), o.bad
		case len(l.Addrs) == 0:
			text = "no address"
		case len(l.Addrs) == 1:
			text = "1 address"
		}
		if !errors.Is(l.err, errNoAnswer) {
			text += " after " + elapsed(l.elapsed)
		}
		rows.add(cell{l.Network, o.faint}, cell{text, paint})
	}
	if len(a.Lookups) == 0 && a.err == nil {
		rows.add(cell{"not asked: an address, or a name that always means this host (RFC 6761)", o.faint})
	}
	return rows.text(o.width)
}

func (c candidate) reason() string {
	if c.Source == "" {
		return c.Why + "; there is no way to it"
	}
	return c.Why + "; from " + c.Source
}

// lookupCause leaves out the name, which is known.
func lookupCause(err error) string {
	var dns *net.DNSError
	if !errors.As(err, &dns) {
		return printable(err.Error())
	}
	text := printable(dns.Err)
	if dns.Server != "" {
		text += " (server " + printable(dns.Server) + ")"
	}
	return text
}
