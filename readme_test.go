package endpoint_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fences returns the blocks of the given language in a Markdown file.
func fences(t *testing.T, path, language string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllSubmatch(text, -1) {
		blocks = append(blocks, string(m[1]))
	}
	if len(blocks) == 0 {
		t.Fatalf("%s has no block of the language %s", path, language)
	}
	return blocks
}

// The programs in the README compile.
func TestREADMEProgramsCompile(t *testing.T) {
	for i, program := range fences(t, "README.md", "go") {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("program%d.go", i))
		if err := os.WriteFile(file, []byte(program), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
			t.Errorf("program %d: %v\n%s", i+1, err, out)
		}
	}
}

// The sessions in the README show what epctl prints, except for numbers, which differ each time; a line … stands for any
// number of lines.
func TestREADMESessionsShowWhatIsPrinted(t *testing.T) {
	epctl := filepath.Join(t.TempDir(), "epctl")
	if out, err := exec.Command("go", "build", "-o", epctl, "./cmd/epctl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, session := range fences(t, "README.md", "console") {
		for _, step := range strings.Split(session, "$ epctl ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			cmd := exec.Command("sh", "-c", "exec \"$0\" "+command, epctl)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			_ = cmd.Run() // some are to fail
			if !matches(lines(want), lines(out.String())) {
				t.Errorf("epctl %s prints\n%s\nand not\n%s", command, out.String(), want)
			}
		}
	}
}

// Columns are as wide as the longest cell anywhere, and numbers differ each time.
var gap = regexp.MustCompile(`(\S) {2,}`)

var number = regexp.MustCompile(`[0-9]+(\.[0-9]+)?( [kMG]iB/s)?`)

func lines(s string) []string {
	return strings.Split(strings.TrimRight(gap.ReplaceAllString(number.ReplaceAllString(s, "N"), "$1 "), "\n"), "\n")
}

func matches(want, got []string) bool {
	if len(want) == 0 || len(got) == 0 {
		return len(got) == 0 && !slices.ContainsFunc(want, func(s string) bool { return s != "…" })
	}
	if want[0] == "…" {
		return matches(want[1:], got) || matches(want, got[1:])
	}
	return strings.TrimRight(want[0], " ") == strings.TrimRight(got[0], " ") && matches(want[1:], got[1:])
}
