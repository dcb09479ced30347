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
	order []*candidate // as they are to be tried, those tried already included
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

// sort orders all addresses, those tried already included, so that late ones get the places that they would have had
// from the start. A single address is not looked into, unless the memory has it: that would be a good part of what
// connecting to it costs.
func (l *addressList) sort(ctx context.Context) {
	if len(l.all) > 1 || len(l.all) == 1 && l.e.memory.has(netip.AddrPortFrom(l.all[0].Addr, l.port)) {
		l.lookAll(ctx)
	}
	l.order = slices.Clone(l.all)
	if len(l.all) == 1 {
		return
	}
	slices.SortStableFunc(l.order, func(a, b *candidate) int {
		d, _ := compare(a, b, l.e.cfg.Family)
		return d
	})
	l.order = interleave(l.order, l.e.cfg.FirstFamilyCount)
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

// doubtful reports whether an address failed lately and none worked.
func (l *addressList) doubtful() bool {
	has := func(o Outcome) bool {
		return slices.ContainsFunc(l.all, func(c *candidate) bool { return c.Outcome == o })
	}
	return has(Failed) && !has(Worked)
}

// next is the first address that has not been tried, nil where there is none or enough have been.
func (l *addressList) next() *candidate {
	if l.tried >= MaxAddresses {
		return nil
	}
	for _, c := range l.order {
		if !c.tried {
			return c
		}
	}
	return nil
}

// take is next, and counts it as tried.
func (l *addressList) take() *candidate {
	c := l.next()
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
