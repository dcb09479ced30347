package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/testenv"
)

// twistedRate reads strings and prints how many a second Twisted makes servers of. Its start is not counted.
const twistedRate = `
import sys, time
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
lines = sys.stdin.read().splitlines()
serverFromString(reactor, lines[0])
start, n = time.perf_counter(), 0
for line in lines:
    serverFromString(reactor, line)
    n += 1
    if n % 100 == 0 and time.perf_counter() - start > 3:
        break
print(n / (time.perf_counter() - start))
`

// BenchmarkCheckStdin has epctl check 100,000 lines from stdin, its start included, and shows the strings a second next
// to those of Twisted's serverFromString on the same strings. Twisted knows tcp itself, and asks its plugins for tcp6.
func BenchmarkCheckStdin(b *testing.B) {
	const count = 100_000
	for _, corpus := range []struct {
		name string
		line func(i int) string
	}{
		{"tcp6", func(i int) string { return fmt.Sprintf(`tcp6:port=%d:interface=\:\:1`, i%65536) }},
		{"tcp", func(i int) string { return fmt.Sprintf("tcp:%d:interface=127.0.0.1", i%65536) }},
		{"both", func(i int) string {
			return []string{fmt.Sprintf("tcp:%d", i%65536), fmt.Sprintf(`tcp6:%d:interface=\:\:1`, i%65536)}[i%2]
		}},
		{"repeated", func(i int) string { return fmt.Sprintf("tcp:%d:interface=127.0.0.1", i%1000) }},
	} {
		var lines strings.Builder
		for i := range count {
			lines.WriteString(corpus.line(i) + "\n")
		}
		b.Run(corpus.name, func(b *testing.B) {
			for b.Loop() {
				check := exec.Command("epctl", "check", "-")
				check.Stdin = strings.NewReader(lines.String())
				if err := check.Run(); err != nil {
					b.Fatal(err)
				}
			}
			ours := float64(count*b.N) / b.Elapsed().Seconds()
			theirs := twisted(b, lines.String())
			b.ReportMetric(ours, "strings/s")
			b.ReportMetric(theirs, "twisted-strings/s")
			b.ReportMetric(ours/theirs, "times-twisted")
		})
	}
}

// twisted returns Twisted's strings a second.
func twisted(b *testing.B, lines string) float64 {
	const python = "/usr/bin/python3" // which has Debian's python3-twisted
	importable := exec.Command(python, "-c", "import twisted").Run() == nil
	testenv.Need(b, importable, "python3-twisted")
	cmd := exec.Command(python, "-c", twistedRate)
	cmd.Stdin, cmd.Stderr = strings.NewReader(lines), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	rate, err := strconv.ParseFloat(string(bytes.TrimSpace(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return rate
}

// BenchmarkStart is epctl's start and end, which every verb pays.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		if err := exec.Command("epctl", "version").Run(); err != nil {
			b.Fatal(err)
		}
	}
}
