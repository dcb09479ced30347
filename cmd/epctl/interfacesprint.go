package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/epctl/endpoint/internal/netif"
)

const ifaceIndent = "    "

// text shows all interfaces with their addresses.
func (s interfaces) text(o *output) string {
	var b strings.Builder
	for _, i := range s.Interfaces {
		b.WriteString(i.text(o))
	}
	return b.String()
}

func (i ifaceObject) text(o *output) string {
	var b strings.Builder
	name := printable(i.Name)
	facts := strings.Join(i.Flags, " ") + ", MTU " + strconv.Itoa(i.MTU)
	head := fmt.Sprintf("%-3d ", i.Index)
	for n, line := range wrap(strings.TrimPrefix(facts, ", "), max(leastLast, o.width-len(head)-utf8.RuneCountInString(name)-2)) {
		if n == 0 {
			line = head + o.strong(name) + "  " + line
		} else {
			line = ifaceIndent + line
		}
		b.WriteString(line + "\n")
	}
	for _, a := range i.Addrs {
		b.WriteString(a.text(o))
	}
	joins, paint := "multicast joins with interface=*", o.good
	if !i.Multicast {
		joins, paint = "multicast does not join with interface=*: "+i.Reason, o.faint
	}
	for _, line := range wrap(joins, max(leastLast, o.width-len(ifaceIndent))) {
		b.WriteString(ifaceIndent + paint(line) + "\n")
	}
	return b.String()
}

// text is the address in a line or, where that is too long, with the rest below it.
func (a addressObject) text(o *output) string {
	what, paint := a.alliface(o)
	addr := a.Prefix.String()
	if a.Peer != "" {
		addr += " peer " + a.Peer
	}
	rest := strings.Join(append([]string{a.Scope}, a.Flags...), " ")
	const column = 28 // for a link-local address made of a hardware address
	if len(addr) <= column && len(ifaceIndent)+column+2+len(rest)+2+utf8.RuneCountInString(what) <= o.width {
		return fmt.Sprintf("%s%-*s  %s, %s\n", ifaceIndent, column, addr, rest, paint(what))
	}
	text := ifaceIndent + addr + "\n"
	for n, line := range wrap(rest+", "+what, max(leastLast, o.width-len(ifaceIndent)-2)) {
		if n == 0 && strings.HasPrefix(line, rest+", ") {
			line = rest + ", " + paint(line[len(rest)+2:])
		}
		text += ifaceIndent + "  " + line + "\n"
	}
	return text
}

// alliface says what the endpoint alliface does about an address.
func (a addressObject) alliface(o *output) (string, func(string) string) {
	switch a.Alliface {
	case "listen":
		return "alliface listens", o.good
	case "wait":
		return "alliface waits: " + a.Reason, o.warning
	case "refuse":
		return "alliface does not listen: " + a.Reason, o.bad
	}
	return "alliface does not listen: " + a.Reason, o.faint
}

// changesText is a line for each change, with the time at which it was seen.
func changesText(o *output, at time.Time, changes []netif.Change) string {
	head := at.Format("15:04:05.000") + "  "
	var b strings.Builder
	for _, c := range changes {
		for n, line := range wrap(changeText(c), max(leastLast, o.width-len(head))) {
			if n == 0 {
				b.WriteString(o.faint(head) + line + "\n")
			} else {
				b.WriteString(strings.Repeat(" ", len(head)) + line + "\n")
			}
		}
	}
	return b.String()
}

// changeText is plain text, since it is wrapped.
func changeText(c netif.Change) string {
	name := printable(c.Interface.Name)
	switch c.Op {
	case netif.EventsLost:
		return "the system had more news than it could hold; everything was listed again"
	case netif.InterfaceAdded, netif.InterfaceChanged:
		i := newInterfaces(netif.Snapshot{Interfaces: []netif.Interface{c.Interface}}).Interfaces[0]
		what := "added"
		if c.Op == netif.InterfaceChanged {
			what = "changed"
			if c.Was.Name != c.Interface.Name {
				what = "changed, was " + printable(c.Was.Name)
			}
		}
		text := fmt.Sprintf("%s (index %d) %s: %s, MTU %d", name, i.Index, what, strings.Join(i.Flags, " "), i.MTU)
		if i.Multicast {
			return text + "; multicast joins"
		}
		return text + "; multicast does not join: " + i.Reason
	case netif.InterfaceRemoved:
		return fmt.Sprintf("%s (index %d) removed", name, c.Interface.Index)
	case netif.AddressRemoved:
		return fmt.Sprintf("%s %s removed", name, c.Address.Prefix)
	}
	what := "added"
	if c.Op == netif.AddressChanged {
		what = "changed"
	}
	a := newAddress(c.Interface, c.Address)
	does, _ := a.alliface(new(output))
	return fmt.Sprintf("%s %s %s: %s", name, c.Address, what, does)
}
