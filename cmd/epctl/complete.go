package main

import (
	"context"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/epctl/endpoint/registry"
)

// completeCmd is asked by the completion scripts. Its words are the command line without the program's name; the last
// one is that which is being typed, and may be empty. A single one that is no verb is an endpoint string.
type completeCmd struct {
	Words []string `arg:"" optional:""`
}

// Run writes a line for each way to go on: the whole word, a tab, and what it means.
func (c *completeCmd) Run(ctx context.Context, a *app) error {
	parser, err := newParser(a, ctx, new(verbs), func(int) {})
	if err != nil {
		return err
	}
	words := c.Words
	if len(words) == 0 {
		words = []string{""}
	}
	last := len(words) - 1
	a.plugQuietly(c.Words)
	l := commandLine{a.registry, a.dirs, parser.Model.Node, words[:last], words[last]}
	var b strings.Builder
	for _, candidate := range l.complete() {
		b.WriteString(printable(candidate.Text) + "\t" + printable(candidate.Doc) + "\n")
	}
	return a.out.print(b.String())
}

// A commandLine is one that is being typed.
type commandLine struct {
	registry *registry.Registry
	dirs     []string // of plugins
	root     *kong.Node
	before   []string
	typed    string
}

// A chooser is a flag that knows its values.
type chooser interface{ choices() []string }

// A rolePlayer is a verb that takes strings of some roles only.
type rolePlayer interface{ wanted() []registry.Role }

func (l commandLine) complete() []registry.Candidate {
	verb := l.verb()
	if name, value, ok := strings.Cut(l.typed, "="); ok && strings.HasPrefix(name, "--") {
		return prefixed(name+"=", chosen(flag(verb, name), value))
	}
	if strings.HasPrefix(l.typed, "-") {
		return l.flags(verb)
	}
	if n := len(l.before); n > 0 {
		if f := flag(verb, l.before[n-1]); f != nil && !f.IsBool() {
			return chosen(f, l.typed)
		}
	}
	if len(verb.Children) > 0 {
		candidates := l.verbs(verb)
		if len(candidates) == 0 && len(l.before) == 0 {
			return l.registry.Complete(l.typed)
		}
		return candidates
	}
	return l.argument(verb)
}

// verb returns the one that stands on the line, or the group of verbs where there is none yet.
func (l commandLine) verb() *kong.Node {
	verb := l.root
	for _, word := range l.before {
		for _, child := range verb.Children {
			if child.Name == word {
				verb = child
				break
			}
		}
	}
	return verb
}

func (l commandLine) verbs(group *kong.Node) (candidates []registry.Candidate) {
	if l.given(group) > 0 {
		return nil
	}
	for _, child := range group.Children {
		if !child.Hidden && strings.HasPrefix(child.Name, l.typed) {
			candidates = append(candidates, registry.Candidate{Text: child.Name, Doc: child.Help})
		}
	}
	return candidates
}

// flags come only where a dash is typed.
func (l commandLine) flags(node *kong.Node) (candidates []registry.Candidate) {
	if !strings.HasPrefix(l.typed, "-") {
		return nil
	}
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			text := "--" + f.Name
			if !f.IsBool() {
				text += "="
			}
			if strings.HasPrefix(text, l.typed) {
				candidates = append(candidates, registry.Candidate{Text: text, Doc: f.Help})
			}
		}
	}
	return candidates
}

func flag(node *kong.Node, word string) *kong.Flag {
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			if "--"+f.Name == word {
				return f
			}
		}
	}
	return nil
}

// chosen returns the values that a flag can have.
func chosen(f *kong.Flag, typed string) (candidates []registry.Candidate) {
	if f == nil {
		return nil
	}
	if c, ok := f.Target.Addr().Interface().(chooser); ok {
		return matching(c.choices(), typed)
	}
	return nil
}

func matching(words []string, typed string) (candidates []registry.Candidate) {
	for _, word := range words {
		if strings.HasPrefix(word, typed) {
			candidates = append(candidates, registry.Candidate{Text: word})
		}
	}
	return candidates
}

func prefixed(prefix string, candidates []registry.Candidate) []registry.Candidate {
	for i := range candidates {
		candidates[i].Text = prefix + candidates[i].Text
	}
	return candidates
}

// argument completes what is no flag.
func (l commandLine) argument(verb *kong.Node) []registry.Candidate {
	if len(verb.Positional) == 0 {
		return nil
	}
	at := min(l.given(verb), len(verb.Positional)-1)
	switch arg := verb.Positional[at]; {
	case arg.Name == "host": // which nobody can foresee
		return nil
	case arg.Enum != "":
		return matching(arg.EnumSlice(), l.typed)
	case arg.Name == "name":
		return l.names()
	case arg.Name == "file":
		return files(l.typed)
	case arg.Name == "program":
		return programs(l.dirs, l.typed)
	}
	if player, ok := verb.Target.Addr().Interface().(rolePlayer); ok {
		return l.registry.Complete(l.typed, player.wanted()...)
	}
	return l.registry.Complete(l.typed)
}

// given counts the arguments of the verb that stand on the line. A word behind a flag may be the flag's.
func (l commandLine) given(verb *kong.Node) (n int) {
	at := slices.Index(l.before, verb.Name)
	for i, word := range l.before[at+1:] {
		if strings.HasPrefix(word, "-") {
			continue
		}
		if before := at + i; before >= 0 {
			if f := flag(verb, l.before[before]); f != nil && !f.IsBool() {
				continue
			}
		}
		n++
	}
	return n
}

func (l commandLine) names() (candidates []registry.Candidate) {
	for _, p := range l.registry.Plugins() {
		if strings.HasPrefix(p.Name, l.typed) {
			candidates = append(candidates, registry.Candidate{Text: p.Name, Doc: p.Doc})
		}
	}
	return candidates
}
