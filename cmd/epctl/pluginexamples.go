package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const readmeName = "README.md"

// examples finds the examples, and returns the directory to run in: the one of the plugin's README, or else scratch.
func (s *suiteSpec) examples(given, scratch string) (dir string, err error) {
	if given != "" {
		return s.givenExamples(given, scratch)
	}
	beside := filepath.Join(filepath.Dir(s.Path), readmeName)
	for _, path := range []string{s.Path + ".md", beside} {
		text, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && title(string(text)) != s.Plugin:
			continue
		case err != nil:
			return "", err
		}
		s.Known = exampleLines(string(text))
		if path == beside {
			return filepath.Dir(path), nil
		}
		return scratch, os.WriteFile(filepath.Join(scratch, readmeName), text, 0o600)
	}
	s.Without["readme"] = "there is no README.md with the title \"# " + s.Plugin + "\" beside the program"
	return scratch, nil
}

func (s *suiteSpec) givenExamples(path, scratch string) (dir string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	s.Known = exampleLines(string(text))
	if filepath.Base(path) == readmeName && title(string(text)) == s.Plugin {
		return filepath.Abs(filepath.Dir(path))
	}
	s.Lines = s.Known
	s.Without["readme"] = "the examples come from another file"
	return scratch, nil
}

// title is the first heading of a README.
func title(text string) string {
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(line, "# "); ok {
			return strings.TrimSpace(title)
		}
	}
	return ""
}

// exampleLines are those of all blocks of the language endpoint, or of a file without such blocks all.
func exampleLines(text string) (lines []string) {
	const fence = "```"
	blocks := strings.Contains("\n"+text, "\n"+fence+"endpoint\n")
	language := ""
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		mark, isFence := strings.CutPrefix(line, fence)
		switch {
		case blocks && isFence && language == "":
			language = mark + "\n" // never empty
		case blocks && isFence:
			language = ""
		case (!blocks || language == "endpoint\n") && line != "" && line[0] != '#':
			lines = append(lines, line)
		}
	}
	return lines
}
