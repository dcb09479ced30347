package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A runningSet holds the processes that execute a file, by its path; nil where the system does not tell.
type runningSet map[string][]int

// runningPrograms looks through the processes that may be looked at. It needs the /proc of Linux.
func runningPrograms() runningSet {
	if _, err := os.Readlink("/proc/self/exe"); err != nil {
		return nil
	}
	set := runningSet{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if path := executed(filepath.Join("/proc", e.Name())); path != "" {
			set[path] = append(set[path], pid)
		}
	}
	return set
}

// executed returns the path of the program that a process runs, "" where that can't be known. A script is run by its
// interpreter, which gets it as a descriptor.
func executed(process string) string {
	const script = "/proc/self/fd/"
	line, _ := os.ReadFile(filepath.Join(process, "cmdline"))
	for _, arg := range bytes.Split(line, []byte{0}) {
		if fd, ok := strings.CutPrefix(string(arg), script); ok {
			if path, err := os.Readlink(filepath.Join(process, "fd", filepath.Base(fd))); err == nil {
				return path
			}
		}
	}
	path, _ := os.Readlink(filepath.Join(process, "exe"))
	return strings.TrimSuffix(path, " (deleted)") // one that was replaced still runs
}

// of returns the processes that run the program at path, nil where the system does not tell.
func (s runningSet) of(path string) *[]int {
	if s == nil {
		return nil
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	processes := append([]int{}, s[path]...)
	return &processes
}

func runningText(processes *[]int) string {
	switch {
	case processes == nil:
		return ""
	case len(*processes) == 0:
		return ", not running"
	}
	var numbers []string
	for _, pid := range *processes {
		numbers = append(numbers, strconv.Itoa(pid))
	}
	return ", running as " + strings.Join(numbers, ", ")
}
