package happyeyeballs

import "fmt"

// A Rule says why an address stands behind the one before it.
type Rule uint8

// The rules of RFC 6724 section 6 have their numbers; the others are those that the engine adds.
const (
	RuleNone Rule = iota // first in the list, or compared with nothing
	RuleUnusable
	RuleScope
	RuleDeprecated
	RuleHome
	RuleLabel
	RulePrecedence
	RuleNative
	RuleSmallerScope
	RuleLongestPrefix
	RuleUnchanged
	RuleMemory      // the engine remembers that an address worked or failed
	RuleFamily      // prefer4 or prefer6
	RuleConnectTime // the draft's rule between 8 and 9: connected faster when last used
	RuleInterleave  // RFC 8305 section 4: the families take turns
)

var ruleTexts = [...]string{
	RuleNone:          "",
	RuleUnusable:      "rule 1: avoid unusable destinations",
	RuleScope:         "rule 2: prefer matching scope",
	RuleDeprecated:    "rule 3: avoid deprecated addresses",
	RuleHome:          "rule 4: prefer home addresses",
	RuleLabel:         "rule 5: prefer matching label",
	RulePrecedence:    "rule 6: prefer higher precedence",
	RuleNative:        "rule 7: prefer native transport",
	RuleSmallerScope:  "rule 8: prefer smaller scope",
	RuleLongestPrefix: "rule 9: use longest matching prefix",
	RuleUnchanged:     "rule 10: order of the answer",
	RuleMemory:        "memory: worked before unknown before failed",
	RuleFamily:        "family: the preferred one first",
	RuleConnectTime:   "memory: shorter connect time",
	RuleInterleave:    "interleave: the families take turns",
}

// String is a line for people, such as "rule 6: prefer higher precedence"; empty for RuleNone.
func (r Rule) String() string {
	if int(r) >= len(ruleTexts) {
		return fmt.Sprintf("Rule(%d)", uint8(r))
	}
	return ruleTexts[r]
}

// Number is the rule's number in RFC 6724 section 6, 0 for the engine's own rules.
func (r Rule) Number() int {
	if r > RuleUnchanged {
		return 0
	}
	return int(r)
}
