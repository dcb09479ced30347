package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/epctl/endpoint/registry"
)

// A suiteReport is what the conformance suite says of a program, in its JSON form.
type suiteReport struct {
	Program string          `json:"program"`
	Version string          `json:"version"`
	OK      bool            `json:"ok"`
	Error   string          `json:"error,omitempty"` // why it could not be tested
	Plugins []*pluginReport `json:"plugins"`
}

// A pluginReport is what it says of one of its endpoints.
type pluginReport struct {
	Name     string          `json:"name"`
	Roles    []registry.Role `json:"roles"`
	OK       bool            `json:"ok"`
	Error    string          `json:"error,omitempty"` // why the suite did not come to its end
	Warnings []string        `json:"warnings,omitempty"`
	Checks   []*checkReport  `json:"checks"`

	complete bool
}

// A checkReport is what came of one check.
type checkReport struct {
	Name     string    `json:"name"`
	Status   string    `json:"status"` // passed, failed or skipped
	Why      string    `json:"why,omitempty"`
	Seconds  float64   `json:"seconds"`
	Failures []failure `json:"failures,omitempty"`
}

// A failure is a rule that is broken.
type failure struct {
	Test    string `json:"test,omitempty"` // the part of the check, where it has parts
	Message string `json:"message"`
	Rule    string `json:"rule,omitempty"`
}

// mostFailures is how many failures of one check are kept.
const mostFailures = 20

// endsEarly says why a suite has told of no end.
func (r *pluginReport) endsEarly(why string) {
	r.OK, r.Error = false, "the suite has not come to its end: "+why
}

// A suiteReader reads what package testing writes.
type suiteReader struct {
	report  *pluginReport
	current string              // test that writes
	said    map[string][]string // what each has said
}

// read takes in all that a process writes that runs the suite.
func (r *pluginReport) read(from io.Reader) {
	s := suiteReader{report: r, said: map[string][]string{}}
	lines := newRecords(from, '\n')
	for {
		line, err := lines.next()
		if err != nil {
			_, _ = io.Copy(io.Discard, from)
			return
		}
		s.line(line)
	}
}

const (
	frame  = "\x16" // begins what is about a test, and not of it
	indent = "    " // begins all that a test says
)

// A result is the end of a test; a place begins what a test says.
var (
	result = regexp.MustCompile(`^--- (PASS|FAIL|SKIP): (\S+) \(([0-9.]+)s\)$`)
	place  = regexp.MustCompile(`^    [\w.-]+\.go:[0-9]+: `)
)

func (s *suiteReader) line(line string) {
	if told, ok := strings.CutPrefix(line, frame); ok {
		if m := result.FindStringSubmatch(told); m != nil {
			s.ended(m[1], m[2], m[3])
		} else if words := strings.Fields(told); len(words) == 3 && words[0] == "===" {
			s.current = words[2]
		}
		return
	}
	said := s.said[s.current]
	if at := place.FindString(line); at != "" {
		s.said[s.current] = append(said, line[len(at):])
	} else if n := len(said); n > 0 {
		said[n-1] += "\n" + strings.TrimPrefix(line, indent+indent)
	}
}

// ended notes what came of a test.
func (s *suiteReader) ended(status, name, seconds string) {
	check, part := "plugin", ""
	path := strings.SplitN(name, "/", 3)
	if len(path) > 1 {
		check = path[1]
	}
	if len(path) > 2 {
		part = path[2]
	}
	if len(path) == 1 {
		s.report.complete, s.report.OK = true, status == "PASS"
		if len(s.said[name]) == 0 {
			return
		}
	}
	c := s.report.check(check)
	switch status {
	case "FAIL":
		c.Status = "failed"
		c.fail(part, s.said[name])
	case "SKIP":
		if part == "" {
			c.Status, c.Why = "skipped", strings.Join(s.said[name], "\n")
		}
	}
	if part == "" {
		c.Seconds, _ = strconv.ParseFloat(seconds, 64)
	}
}

// check returns the report of a check, which begins as passed.
func (r *pluginReport) check(name string) *checkReport {
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	c := &checkReport{Name: name, Status: "passed"}
	r.Checks = append(r.Checks, c)
	return c
}

func (c *checkReport) fail(part string, said []string) {
	for _, text := range said[:min(len(said), mostFailures-min(len(c.Failures), mostFailures))] {
		f := failure{Test: part, Message: text}
		if at := strings.LastIndex(text, "\nrule: "); at >= 0 {
			f.Message, f.Rule = text[:at], text[at+len("\nrule: "):]
		}
		c.Failures = append(c.Failures, f)
	}
}

// counts tells how many checks ended how.
func (r *pluginReport) counts() string {
	n := map[string]int{}
	for _, c := range r.Checks {
		n[c.Status]++
	}
	return fmt.Sprintf("%d passed, %d failed, %d skipped", n["passed"], n["failed"], n["skipped"])
}
