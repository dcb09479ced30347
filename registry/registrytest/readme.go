package registrytest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

const (
	readmeName = "README.md"
	tableBegin = "<!-- parameters:begin -->"
	tableEnd   = "<!-- parameters:end -->"
)

// Update writes the tables of p's parameters into the README at path, between the lines <!-- parameters:begin --> and
// <!-- parameters:end -->, and leaves alone a file that has them already.
func Update(path string, p registry.Plugin) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, _, after, ok := cutTable(string(text))
	if !ok {
		return fmt.Errorf("%s has no lines %s and %s, in this order", path, tableBegin, tableEnd)
	}
	updated := before + table(p) + after
	if updated == string(text) {
		return nil
	}
	return os.WriteFile(path, []byte(updated), 0o644)
}

func table(p registry.Plugin) string { return "\n" + p.Markdown() + "\n" }

// cutTable splits a README around what stands between the markers.
func cutTable(text string) (before, table, after string, ok bool) {
	begin := strings.Index(text, tableBegin+"\n")
	if begin < 0 {
		return "", "", "", false
	}
	begin += len(tableBegin) + 1
	length := strings.Index(text[begin:], tableEnd)
	if length < 0 {
		return "", "", "", false
	}
	return text[:begin], text[begin : begin+length], text[begin+length:], true
}

// A readme is a plugin's README, taken apart.
type readme struct {
	text     string
	title    string
	sections []section
	examples []example
	carets   []example // text is the whole block
}

type section struct {
	title string
	empty bool
}

func parseREADME(text string) *readme {
	r := &readme{text: text}
	language, block := "", []string(nil)
	for i, line := range strings.Split(text, "\n") {
		where := fmt.Sprintf("%s:%d", readmeName, i+1)
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && language == "":
			language, block = fence+"\n", nil // never empty
		case isFence:
			if language == "caret\n" {
				r.carets = append(r.carets, example{text: strings.Join(block, "\n"), where: where})
			}
			language = ""
		case language == "endpoint\n" && line != "" && line[0] != '#':
			r.examples = append(r.examples, parseExample(line, where))
		case language != "":
			block = append(block, line)
		case strings.HasPrefix(line, "# ") && r.title == "":
			r.title = line[2:]
		case strings.HasPrefix(line, "## "):
			r.sections = append(r.sections, section{line[3:], true})
			continue
		}
		if n := len(r.sections); n > 0 && strings.TrimSpace(line) != "" {
			r.sections[n-1].empty = false
		}
	}
	return r
}

// sections checks the form of the README.
func (s *suite) sections(t *testing.T) {
	if s.readme == nil {
		t.Skipf("there is no %s in the working directory of the test", readmeName)
	}
	if s.readme.title != s.plugin.Name {
		ruleREADME.fail(t, "the title of %s is %q, not %q", readmeName, s.readme.title, "# "+s.plugin.Name)
	}
	s.checkSections(t)
	switch _, got, _, ok := cutTable(s.readme.text); {
	case !ok:
		ruleREADME.fail(t, "%s has no lines %s and %s, in this order", readmeName, tableBegin, tableEnd)
	case got != table(s.plugin):
		ruleREADME.fail(t, "the tables of parameters in %s are not current: go generate writes them anew", readmeName)
	}
	for _, block := range s.readme.carets {
		s.checkCaret(t, block)
	}
}

func (s *suite) checkSections(t *testing.T) {
	next := 0
	for _, title := range []string{"Name", "Description", "Parameters", "Examples", "Errors", "See also"} {
		i := slices.IndexFunc(s.readme.sections[next:], func(s section) bool { return s.title == title })
		switch {
		case i < 0:
			ruleREADME.fail(t, "%s has no section %q in its place", readmeName, "## "+title)
			continue
		case s.readme.sections[next+i].empty:
			ruleREADME.fail(t, "the section %q of %s is empty", "## "+title, readmeName)
		}
		next += i + 1
	}
}

// checkCaret checks that people are shown what the README says: a string in the first line, the drawing below it.
func (s *suite) checkCaret(t *testing.T, block example) {
	input, _, _ := strings.Cut(block.text, "\n")
	_, err := s.registry.Roles(input)
	faults := grammar.All(err)
	drawings := make([]string, len(faults))
	for i, e := range faults {
		drawings[i] = e.Caret()
	}
	if got := strings.Join(drawings, "\n"); got != block.text {
		ruleREADME.fail(t, "%s shows\n%s\nand people are shown\n%s", block.where, block.text, got)
	}
}

// An example is a string that a README shows.
type example struct {
	text    string
	roles   []registry.Role // that it is for
	refused bool            // it is wrong in every role
	message string          // part of what is said then
	where   string
	bad     error // what is wrong with the line
}

// parseExample reads "STRING # ROLE, ROLE" or "STRING # error: MESSAGE"; a role may have a colon and a remark behind it.
func parseExample(line, where string) example {
	i := strings.LastIndex(line, " # ")
	if i < 0 {
		return example{text: line, where: where, bad: errors.New("no role is named behind \" # \"")}
	}
	e := example{text: strings.TrimSpace(line[:i]), where: where}
	mark, remark, _ := strings.Cut(line[i+len(" # "):], ":")
	if mark == "error" {
		e.refused, e.message = true, strings.TrimSpace(remark)
		return e
	}
	for word := range strings.SplitSeq(mark, ",") {
		role := registry.Role(strings.TrimSpace(word))
		if !slices.Contains(registry.Roles(), role) {
			e.bad = fmt.Errorf("%q is not a role", string(role))
		}
		e.roles = append(e.roles, role)
	}
	return e
}
