package certs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	maxDepth   = 16     // levels of directories below a store's
	maxEntries = 10_000 // files and directories that are looked at
)

// folder is one directory: the names in it that may be PEM files or lead to some.
type folder struct {
	stamp stamp
	round uint64
	names []string
	err   error
}

// folder returns the names in a directory whose state is info, in order.
func (c *cache) folder(path string, info fs.FileInfo) ([]string, error) {
	f := c.folders[path]
	if f == nil {
		f = &folder{}
		c.folders[path] = f
	}
	f.round = c.round
	if f.err == nil && !c.force && f.stamp.shows(info) {
		return f.names, nil
	}
	names, err := listPEM(path)
	c.changed = c.changed || !slices.Equal(names, f.names) || (err == nil) != (f.err == nil)
	f.stamp, f.names, f.err = newStamp(info, time.Now()), names, err
	return names, err
}

// listPEM leaves out what is neither a PEM file nor a directory nor a link that may be one.
func listPEM(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || isPEMName(e.Name()) || e.Type()&fs.ModeSymlink != 0 {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func isPEMName(name string) bool { return strings.HasSuffix(name, ".pem") }

// A walk goes through a directory and all below it, in the order of the names, as Twisted's FilePath.walk does.
type walk struct {
	cache   *cache
	entries int
	files   []string
	errs    []error
}

// directory visits path; above are the directories that it is in, so that a link to one of them ends the walk there.
func (w *walk) directory(path string, info fs.FileInfo, above []fs.FileInfo) {
	if slices.ContainsFunc(above, func(a fs.FileInfo) bool { return os.SameFile(a, info) }) {
		return
	}
	if len(above) > maxDepth {
		w.fail(path, fmt.Errorf("is more than %d directories below the one that is named: name one further down", maxDepth))
		return
	}
	names, err := w.cache.folder(path, info)
	if err != nil {
		w.fail(path, explain(err))
		return
	}
	above = append(above[:len(above):len(above)], info)
	for _, name := range names {
		if w.entries++; w.entries > maxEntries {
			return
		}
		w.entry(filepath.Join(path, name), above)
	}
}

func (w *walk) entry(path string, above []fs.FileInfo) {
	info, err := os.Stat(path)
	switch {
	case err != nil && !isPEMName(path):
		// A link that leads nowhere, and nobody said that it is a certificate.
	case err != nil:
		if _, gone := os.Lstat(path); gone == nil {
			w.fail(path, explain(err))
		}
	case info.IsDir():
		w.directory(path, info, above)
	case isPEMName(path) && info.Mode().IsRegular():
		w.files = append(w.files, path)
	}
}

func (w *walk) fail(path string, err error) {
	w.errs = append(w.errs, &FileError{"path", path, err})
}

// walk returns the PEM files in the store's directory.
func (s *Store) walk() ([]string, error) {
	info, err := os.Stat(s.dir)
	if err == nil && !info.IsDir() {
		err = errors.New("is not a directory: name the directory that has the PEM files")
	}
	if err != nil {
		return nil, &FileError{"path", s.dir, explain(err)}
	}
	w := &walk{cache: &s.cache}
	w.directory(s.dir, info, nil)
	if w.entries > maxEntries {
		w.fail(s.dir, fmt.Errorf("has more than %d files and directories in it: name a smaller one", maxEntries))
	}
	return w.files, join(w.errs...)
}

// readDir makes the pairs of a directory from the cache. What is broken is reported, and its last good version is used.
func (s *Store) readDir() ([]*pair, error) {
	errs := []error{s.cache.dirError}
	objects := newCollection()
	for _, path := range s.cache.paths {
		c, err := s.cache.file(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since the directory was listed
		}
		errs = append(errs, dirFaults(path, c, err)...)
		objects.add(path, lastGood(c, s.cache.good(path)))
	}
	pairs := objects.pairs()
	kept, why := objects.keep(s.pairs, pairs)
	errs = append(errs, why...)
	if pairs = append(pairs, kept...); len(pairs) == 0 {
		errs = append(errs, noPair(s.dir))
	}
	return pairs, join(errs...)
}

// dirFaults are what is wrong with one file of a directory.
func dirFaults(path string, c *contents, err error) []error {
	if err != nil {
		return []error{&FileError{"path", path, err}}
	}
	faults := c.faults()
	for i, fault := range faults {
		faults[i] = &FileError{"path", path, fault}
	}
	return faults
}

func noPair(dir string) error {
	return fault("path", dir, "has no certificate with its key in it: put both, in PEM, into files whose names end in .pem")
}

// noteDir makes a change count of the files that are there, or of what is wrong with the directory itself.
func (c *cache) noteDir(paths []string, err error) {
	c.changed = c.changed || !slices.Equal(paths, c.paths) || text(err) != text(c.dirError)
	c.paths, c.dirError = paths, err
}

// lastGood is what a file held when it was last in order; where it never was, what can be used of it.
func lastGood(now, good *contents) *contents {
	switch {
	case good != nil:
		return good
	case now != nil:
		return now
	default:
		return &contents{}
	}
}
