package happyeyeballs

import (
	"cmp"
	"net/netip"
	"time"
)

// A Candidate is an address that a dial may try.
type Candidate struct {
	Addr    netip.Addr    // IPv4-mapped addresses stand as IPv4
	Source  Source        // where the host would send from; its Addr is invalid where there is no way to Addr
	Rule    Rule          // why it stands behind the candidate before it
	Outcome Outcome       // what the engine remembers
	Connect time.Duration // how long it took to connect when last used, where Outcome is Worked
}

// candidate is a Candidate while it is sorted and tried.
type candidate struct {
	Candidate
	known  bool // Source, Outcome and the traits have been looked up
	tried  bool // an attempt has been started
	dst    traits
	src    traits
	family Family // IPv4Only or IPv6Only
}

func newCandidate(a netip.Addr) *candidate {
	c := &candidate{Candidate: Candidate{Addr: a}, family: IPv6Only}
	if a.Is4() {
		c.family = IPv4Only
	}
	return c
}

func (c *candidate) reachable() bool { return c.Source.Addr.IsValid() }

// The engine keeps these apart, in this order, whatever RFC 6724 says.
const (
	classWorked = iota // lately
	classUnknown
	classFailed // lately
	classUnreachable
)

func (c *candidate) class() int {
	switch {
	case !c.reachable():
		return classUnreachable
	case c.Outcome == Worked:
		return classWorked
	case c.Outcome == Failed:
		return classFailed
	}
	return classUnknown
}

// compare is negative where a goes before b, and tells the rule that decided. Its order is total and transitive: rule 9
// compares IPv6 addresses only, and an IPv4 address never ties with one under rule 6.
func compare(a, b *candidate, prefer Family) (int, Rule) {
	if !a.reachable() || !b.reachable() {
		if d := first(a.reachable(), b.reachable()); d != 0 {
			return d, RuleUnusable
		}
		return 0, RuleUnchanged
	}
	if d := cmp.Compare(a.class(), b.class()); d != 0 {
		return d, RuleMemory
	}
	if d := first(a.preferred(prefer), b.preferred(prefer)); d != 0 {
		return d, RuleFamily
	}
	for _, step := range rfc6724 {
		if d := step.compare(a, b); d != 0 {
			return d, step.rule
		}
	}
	return 0, RuleUnchanged
}

func (c *candidate) preferred(prefer Family) bool {
	return prefer == PreferIPv4 && c.family == IPv4Only || prefer == PreferIPv6 && c.family == IPv6Only
}

// rfc6724 is section 6 from rule 2 on, with the rule that the draft inserts between 8 and 9. Rule 9 leaves IPv4 out: its
// addresses say nothing about topology, and sorting by them defeats the balancing of an answer's order.
var rfc6724 = [...]struct {
	rule    Rule
	compare func(a, b *candidate) int
}{
	{RuleScope, func(a, b *candidate) int { return first(a.dst.scope == a.src.scope, b.dst.scope == b.src.scope) }},
	{RuleDeprecated, func(a, b *candidate) int { return first(!a.Source.Deprecated, !b.Source.Deprecated) }},
	{RuleHome, func(a, b *candidate) int { return first(a.Source.Home, b.Source.Home) }},
	{RuleLabel, func(a, b *candidate) int { return first(a.dst.label == a.src.label, b.dst.label == b.src.label) }},
	{RulePrecedence, func(a, b *candidate) int { return cmp.Compare(b.dst.precedence, a.dst.precedence) }},
	{RuleNative, func(a, b *candidate) int { return first(!a.Source.Tunnel, !b.Source.Tunnel) }},
	{RuleSmallerScope, func(a, b *candidate) int { return cmp.Compare(a.dst.scope, b.dst.scope) }},
	{RuleConnectTime, func(a, b *candidate) int { return cmp.Compare(a.Connect, b.Connect) }},
	{RuleLongestPrefix, func(a, b *candidate) int { return cmp.Compare(b.prefix(), a.prefix()) }},
}

// prefix is how much of the destination its source shares, 0 for IPv4.
func (c *candidate) prefix() int {
	if c.family == IPv4Only {
		return 0
	}
	return commonPrefix(c.Source.Addr, c.Addr)
}

// first is negative where only a has the preferred property, positive where only b has it.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
