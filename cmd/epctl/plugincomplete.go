package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/epctl/endpoint/registry"
)

// programs completes the name of a program in the directories of plugins, or the path of one.
func programs(dirs []string, typed string) []registry.Candidate {
	if strings.ContainsRune(typed, filepath.Separator) {
		return files(typed)
	}
	paths, _ := programPaths(dirs)
	var candidates []registry.Candidate
	for _, path := range paths {
		whole := filepath.Base(path)
		for _, name := range []string{strings.TrimPrefix(whole, programPrefix), whole} {
			if strings.HasPrefix(name, typed) {
				candidates = append(candidates, registry.Candidate{Text: name, Doc: path})
				break
			}
		}
	}
	return candidates
}

// files completes a path.
func files(typed string) (candidates []registry.Candidate) {
	dir, base := filepath.Split(typed)
	entries, _ := os.ReadDir(filepath.Clean(dir)) // "" is the working directory
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), base) || base == "" && strings.HasPrefix(e.Name(), ".") {
			continue
		}
		text := dir + e.Name()
		if e.IsDir() {
			text += string(filepath.Separator)
		}
		candidates = append(candidates, registry.Candidate{Text: text})
	}
	return candidates
}
