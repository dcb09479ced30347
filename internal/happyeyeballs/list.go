package happyeyeballs

import (
	"context"
	"net/netip"
	"slices"
)

// addressList holds the addresses of a host as they become known, and the order in which to try them.
type addressList struct {
	e     *Engine
	port  uint16       // for the memory
	all   []*candidate // as they came
	order []*candidate // as they are to be tried, those tried already included; nil after something came
	whole bool         // order has all; else those that worked lately, which go first
	kept  [3]int       // by family, how many all holds
	cut   int          // addresses left out because there were too many
	tried int
}

func newList(e *Engine, port uint16) *addressList { return &addressList{e: e, port: port} }

// add appends what is new and of a family in use. Of each family no more than MaxAddresses are kept, in the order of the
// answer, so that a long answer for one family does not keep out the other.
func (l *addressList) add(addrs []netip.Addr) {
	for _, a := range addrs {
		a = a.Unmap()
		if l.e.admits(a) != nil || l.has(a) {
			continue
		}
		c := newCandidate(a)
		if l.kept[c.family] == MaxAddresses {
			l.cut++
			continue
		}
		l.kept[c.family]++
		l.all = append(l.all, c)
		l.order, l.whole = nil, false
	}
}

func (l *addressList) has(a netip.Addr) bool {
	return slices.ContainsFunc(l.all, func(c *candidate) bool { return c.Addr == a })
}

// lookAll finds out what ordering needs.
func (l *addressList) lookAll(ctx context.Context) {
	for _, c := range l.all {
		l.look(ctx, c)
	}
}

func (l *addressList) look(ctx context.Context, c *candidate) {
	if c.known {
		return
	}
	c.known = true
	c.Source = l.e.cfg.Source(ctx, c.Addr)
	c.dst = traitsOf(c.Addr)
	if c.reachable() {
		c.src = traitsOf(c.Source.Addr)
	}
	c.Outcome, c.Connect = l.e.memory.recall(netip.AddrPortFrom(c.Addr, l.port), c.Source.Addr)
}

// recall looks into the addresses that worked lately, if the host still sends from the same source.
func (l *addressList) recall(ctx context.Context) {
	for _, c := range l.all {
		if l.hint(c) == Worked {
			l.look(ctx, c)
		}
	}
}

func (l *addressList) hint(c *candidate) Outcome {
	return l.e.memory.hint(netip.AddrPortFrom(c.Addr, l.port))
}

// sort orders all addresses, those tried already included, so that late ones get the places that they would have had
// from the start. A single address is not looked into: that would be a good part of what connecting to it costs.
func (l *addressList) sort(ctx context.Context) {
	if len(l.all) > 1 {
		l.lookAll(ctx)
	}
	l.order, l.whole = l.arrange(l.all), true
}

// sortWorked orders those that worked lately. They go first whatever the others are, so that a dial which starts with one
// need not look into the others, of which each costs as much as a connection, before it has to.
func (l *addressList) sortWorked() {
	var worked []*candidate
	for _, c := range l.all {
		if c.known && c.class() == classWorked {
			worked = append(worked, c)
		}
	}
	l.order = l.arrange(worked)
}

func (l *addressList) arrange(candidates []*candidate) []*candidate {
	sorted := slices.Clone(candidates)
	if len(sorted) < 2 {
		return sorted
	}
	slices.SortStableFunc(sorted, func(a, b *candidate) int {
		d, _ := compare(a, b, l.e.cfg.Family)
		return d
	})
	return interleave(sorted, l.e.cfg.FirstFamilyCount)
}

// interleave lets the families take turns, RFC 8305 section 4: count addresses of the family that is first, then one of
// the other, and so on. Classes stay apart: an address that failed is not pulled in front of one that may work.
func interleave(sorted []*candidate, count int) []*candidate {
	out := make([]*candidate, 0, len(sorted))
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].class() == sorted[0].class() {
			n++
		}
		out = takeTurns(out, slices.Clone(sorted[:n]), count)
		sorted = sorted[n:]
	}
	return out
}

// takeTurns moves group to the end of out.
func takeTurns(out, group []*candidate, count int) []*candidate {
	for len(group) > 0 {
		i := slices.IndexFunc(group, func(c *candidate) bool { return len(out) == 0 || c.family == turn(out, count) })
		i = max(i, 0) // one family is used up: the rest follows in order
		out = append(out, group[i])
		group = slices.Delete(group, i, i+1)
	}
	return out
}

// turn is the family that comes after out.
func turn(out []*candidate, count int) Family {
	lead, last := out[0].family, out[len(out)-1].family
	if len(out) < count || last != lead {
		return lead
	}
	return IPv4Only + IPv6Only - lead
}

// doubtful reports whether an address failed lately, perhaps in another network, and none worked.
func (l *addressList) doubtful() bool {
	return slices.ContainsFunc(l.all, func(c *candidate) bool { return l.hint(c) == Failed }) &&
		!slices.ContainsFunc(l.all, func(c *candidate) bool { return c.Outcome == Worked })
}

// next is the first address that has not been tried, nil where there is none or enough have been.
func (l *addressList) next(ctx context.Context) *candidate {
	if l.tried >= MaxAddresses {
		return nil
	}
	if l.order == nil {
		l.sortWorked()
	}
	c := l.untried()
	if c == nil && !l.whole {
		l.sort(ctx)
		c = l.untried()
	}
	return c
}

func (l *addressList) untried() *candidate {
	for _, c := range l.order {
		if !c.tried {
			return c
		}
	}
	return nil
}

// take is next, and counts it as tried.
func (l *addressList) take(ctx context.Context) *candidate {
	c := l.next(ctx)
	if c != nil {
		c.tried = true
		l.tried++
	}
	return c
}

// rule tells why b stands behind a.
func (l *addressList) rule(a, b *candidate) Rule {
	d, rule := compare(a, b, l.e.cfg.Family)
	if d > 0 {
		return RuleInterleave
	}
	return rule
}
