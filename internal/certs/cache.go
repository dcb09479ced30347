package certs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

const (
	// maxFile is the largest file that is read.
	maxFile = 1 << 20
	// settled is how long a file must have been left alone before its size and time are trusted to show the next change.
	// Some file systems keep times in steps of two seconds, and a file that is read while it is written may get its last
	// bytes within the same step.
	settled = 2 * time.Second
)

// A cache remembers files by path, and reads again only those that changed. It is not safe for concurrent use.
type cache struct {
	files    map[string]*cached
	folders  map[string]*folder
	round    uint64
	paths    []string // of a store's directory
	dirError error    // what was wrong with that directory

	force   bool // read all in this round, whatever their stamps say
	changed bool // something in this round is not what it was in the round before
}

// cached is one file: what it holds now, or why that is not known, and what it held when it was last in order.
type cached struct {
	stamp stamp
	sum   [sha256.Size]byte
	round uint64

	contents *contents
	err      error // no contents
	good     *contents
}

// A stamp tells two states of a file apart without reading it.
type stamp struct {
	info fs.FileInfo
	sure bool // the file was old enough when it was read
}

func newStamp(info fs.FileInfo, now time.Time) stamp {
	return stamp{info: info, sure: now.Sub(info.ModTime()).Abs() >= settled}
}

func (s stamp) shows(info fs.FileInfo) bool {
	return s.info != nil && s.sure && s.info.Size() == info.Size() && s.info.ModTime().Equal(info.ModTime()) &&
		os.SameFile(s.info, info)
}

// begin starts a round, in which each file is looked at once at most.
func (c *cache) begin(force bool) {
	c.round++
	c.force, c.changed = force, false
}

// file returns what is in the file now.
func (c *cache) file(path string) (*contents, error) {
	f := c.files[path]
	if f == nil {
		f = &cached{}
		c.files[path] = f
	}
	if f.round != c.round {
		f.round = c.round
		c.changed = f.look(path, c.force) || c.changed
	}
	return f.contents, f.err
}

// good returns what the file held when it was last in order, nil if it never was.
func (c *cache) good(path string) *contents { return c.files[path].good }

// forget drops the files that were not asked for in this round.
func (c *cache) forget() {
	for path, f := range c.files {
		if f.round != c.round {
			delete(c.files, path)
		}
	}
	for path, f := range c.folders {
		if f.round != c.round {
			delete(c.folders, path)
		}
	}
}

// look brings f up to date, and reports whether anything changed.
func (f *cached) look(path string, force bool) bool {
	info, err := os.Stat(path)
	if err == nil && f.contents != nil && !force && f.stamp.shows(info) {
		return false
	}
	var data []byte
	if err == nil {
		data, info, err = readFile(path, info)
	}
	if err != nil {
		return f.fail(explain(err))
	}
	f.stamp = newStamp(info, time.Now())
	sum := sha256.Sum256(data)
	if f.contents != nil && f.sum == sum {
		return false
	}
	f.sum, f.contents, f.err = sum, parsePEM(data), nil
	if len(f.contents.faults()) == 0 {
		f.good = f.contents
	}
	return true
}

func (f *cached) fail(err error) bool {
	same := text(f.err) == text(err)
	f.contents, f.err, f.stamp = nil, err, stamp{}
	return !same
}

var (
	errNotRegular = errors.New("is not a regular file")
	errTooLarge   = fmt.Errorf("is larger than %d bytes: name the file of certificates or keys", maxFile)
)

// readFile reads a regular file of limited size. The file is opened without waiting, and looked at again when it is
// open: a FIFO may have taken its place since info.
func readFile(path string, info fs.FileInfo) ([]byte, fs.FileInfo, error) {
	if !info.Mode().IsRegular() {
		return nil, nil, errNotRegular
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err = f.Stat()
	switch {
	case err != nil:
		return nil, nil, err
	case !info.Mode().IsRegular():
		return nil, nil, errNotRegular
	case info.Size() > maxFile:
		return nil, nil, errTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errTooLarge
	}
	return data, info, err
}
