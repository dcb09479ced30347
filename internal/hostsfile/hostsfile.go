// Package hostsfile reads files such as /etc/hosts, and reads them again when they change.
package hostsfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	maxSize      = 64 << 20 // bytes of a file; lists that block advertisements have some
	maxAddresses = 1024     // of one name

	// granularity is the time in which a file may change twice and have one modification time: that of FAT, the coarsest
	// of the file systems in use.
	granularity = 2 * time.Second
)

// A File is a file of hosts. It is safe for use by several goroutines; make one with [New].
type File struct {
	path string

	mu     sync.Mutex
	table  Table
	info   os.FileInfo // of what the table was read from; nil before
	stable bool        // a change since then shows in the file's modification time
}

// New prepares for the file at path, "" for the system's own. It does no I/O.
func New(path string) *File { return &File{path: path} }

// Table returns what is in the file now. It looks at the file's size, modification time and identity each time, and
// reads it only where one of them has changed. The table must not be changed. The error is a [*fs.PathError]; where the
// file is there and can't be read it is no reason to go on with what it had before.
func (f *File) Table() (Table, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := f.path
	if path == "" {
		path = systemPath()
	}
	info, err := os.Stat(path)
	if err != nil {
		f.info = nil // what comes in its place may look the same
		return nil, err
	}
	if f.info != nil && f.stable && same(f.info, info) {
		return f.table, nil
	}
	return f.read(path)
}

func same(a, b os.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}

func (f *File) read(path string) (Table, error) {
	// A FIFO at the path must not make open wait for a writer.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	began := time.Now()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	case info.Size() > maxSize:
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %d bytes", maxSize)}
	}
	text, err := io.ReadAll(io.LimitReader(file, maxSize))
	if err != nil {
		return nil, err
	}
	f.table, f.info = Parse(string(text)), info
	f.stable = began.Sub(info.ModTime()) > granularity
	return f.table, nil
}
