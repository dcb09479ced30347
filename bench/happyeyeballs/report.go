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
}

func newReport(effort float64, out string) *Report {
	command := "go run ./happyeyeballs"
	if effort != 1 {
		command += fmt.Sprintf(" -effort %v", effort)
	}
	if out != "" {
		command += " -out " + out
	}
	return &Report{
		Command:    command,
		Date:       time.Now().UTC().Format(time.RFC3339),
		Kernel:     firstLine("/proc/sys/kernel/osrelease"),
		Go:         runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		Processors: runtime.NumCPU(),
		LoadBefore: loadAverage(),
	}
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
	fmt.Fprintf(&b, "hostname: beside net.Dialer\n\n")
	fmt.Fprintf(&b, "made by       %s\non            %s, Linux %s, %s, %d processors\n", r.Command, r.Date, r.Kernel, r.Go, r.Processors)
	fmt.Fprintf(&b, "load average  %s before, %s after\n\n", r.LoadBefore, r.LoadAfter)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "case\thostname:\tnet.Dialer\tratio\tquartiles\tgoal")
	for _, result := range r.Results {
		fmt.Fprintln(w, result.line())
	}
	_ = w.Flush()
	b.WriteString("\nTimes are medians. The ratio is the median over blocks of dials, with its quartiles; a block has\n" +
		"medians of its own, so that what else the machine does weighs on both sides alike.\n")
	return b.String()
}

func (r Result) line() string {
	ratio, quartiles := "", ""
	if r.Ratio != nil {
		ratio = fmt.Sprintf("%.3f", r.Ratio.Median)
		quartiles = fmt.Sprintf("%.3f to %.3f", r.Ratio.Low, r.Ratio.High)
	}
	return strings.Join([]string{r.Case, r.Hostname.text(), r.NetDialer.text(), ratio, quartiles, r.goal()}, "\t")
}

func (s Side) text() string {
	took := (time.Duration(s.Micros.Median * 1000)).Round(time.Microsecond)
	if took > 10*time.Millisecond {
		took = took.Round(100 * time.Microsecond)
	}
	switch s.Failed {
	case 0:
		return took.String()
	case s.Dials:
		return "fails after " + took.String()
	}
	return fmt.Sprintf("%v, %d of %d fail", took, s.Failed, s.Dials)
}

func (r Result) goal() string {
	met := "met"
	if !r.Met() {
		met = "MISSED"
	}
	switch {
	case r.Rescue:
		return "connects where net.Dialer fails: " + met
	case r.Limit > 0:
		return fmt.Sprintf("at most %v: %s", r.Limit, met)
	}
	return "none"
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
