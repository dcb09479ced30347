package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// A Report is what the files hold.
type Report struct {
	Command    string   `json:"command"` // in the directory bench
	Date       string   `json:"date"`
	Kernel     string   `json:"kernel"`
	Go         string   `json:"go"`
	Processors int      `json:"processors"`
	LoadBefore string   `json:"load_average_before"`
	LoadAfter  string   `json:"load_average_after"`
	Results    []Result `json:"results"`
	Leaks      []Leak   `json:"leaks"`
}

func newReport() *Report {
	return &Report{
		Command:    command(),
		Date:       time.Now().UTC().Format(time.RFC3339),
		Kernel:     firstLine("/proc/sys/kernel/osrelease"),
		Go:         runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		Processors: runtime.NumCPU(),
		LoadBefore: loadAverage(),
	}
}

func command() string {
	words := []string{"go run ./external"}
	for _, word := range os.Args[1:] {
		if strings.ContainsAny(word, " |") {
			word = "'" + word + "'"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// loadAverage is that of the last minute, five and fifteen minutes.
func loadAverage() string {
	fields := strings.Fields(firstLine("/proc/loadavg"))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// text is the report for people.
func (r *Report) text() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "plugins that are programs\n\n")
	fmt.Fprintf(&b, "made by       %s\non            %s, Linux %s, %s, %d processors\n", r.Command, r.Date, r.Kernel, r.Go, r.Processors)
	fmt.Fprintf(&b, "load average  %s before, %s after\n", r.LoadBefore, r.LoadAfter)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, result := range r.Results {
		fmt.Fprintf(w, "\n%s\t%s\tratio\tquartiles\tgoal\n", result.Case, result.Unit)
		for _, s := range result.Sides {
			fmt.Fprintln(w, s.line())
		}
	}
	_ = w.Flush()
	if len(r.Leaks) > 0 {
		fmt.Fprintln(w, "\nleft of connections\tconnections\tdescriptors\tgoroutines\tof the plugin\tgoal")
	}
	for _, l := range r.Leaks {
		fmt.Fprintf(w, "  %s\t%d\t%+d\t%+d\t%+d\tnone: %s\n", l.Case, l.Connections, l.Descriptors, l.Goroutines, l.Plugin, met(l.Met()))
	}
	_ = w.Flush()
	b.WriteString("\nValues are medians. A ratio is the median over blocks in which each was measured once, by turns, with its\n" +
		"quartiles; so what else the machine does weighs on all alike.\n")
	return b.String()
}

func (s Side) line() string {
	ratio, quartiles := "", ""
	switch {
	case s.Ratio == nil:
	case s.Goal.More > 0:
		ratio = fmt.Sprintf("%+.1f", s.More.Median)
		quartiles = fmt.Sprintf("%+.1f to %+.1f", s.More.Low, s.More.High)
	default:
		ratio = fmt.Sprintf("%.2f", s.Ratio.Median)
		quartiles = fmt.Sprintf("%.2f to %.2f", s.Ratio.Low, s.Ratio.High)
	}
	return fmt.Sprintf("  %s\t%.4g\t%s\t%s\t%s", s.Name, s.Value.Median, ratio, quartiles, s.goal())
}

func (s Side) goal() string {
	switch {
	case s.Goal.AtLeast > 0:
		return fmt.Sprintf("at least %v: %s", s.Goal.AtLeast, met(s.Met()))
	case s.Goal.AtMost > 0:
		return fmt.Sprintf("at most %v: %s", s.Goal.AtMost, met(s.Met()))
	case s.Goal.More > 0:
		return fmt.Sprintf("at most %v more: %s", s.Goal.More, met(s.Met()))
	}
	return ""
}

func met(ok bool) string {
	if ok {
		return "met"
	}
	return "MISSED"
}

func (r *Report) write(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, "report.txt"), []byte(r.text()), 0o644); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "report.json"), append(data, '\n'), 0o644)
}
