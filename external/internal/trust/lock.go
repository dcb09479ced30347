package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// LockName is the name of the lock file in a directory of plugins.
const LockName = "endpoint-plugins.lock"

const maxLock = 16 << 20 // bytes

// A Lock holds the programs of a directory that may be started.
type Lock struct {
	Version  int              `json:"version"`
	Programs map[string]Entry `json:"programs"` // by file name
}

// An Entry is a program as it was when it was locked.
type Entry struct {
	SHA256      string          `json:"sha256"`
	Description json.RawMessage `json:"description"` // what it said of itself
}

// ReadLock reads the lock file of dir; a missing one locks nothing. It is trusted as programs are: nobody else may be
// able to write it.
func ReadLock(dir string) (*Lock, error) {
	l := &Lock{Version: 1, Programs: map[string]Entry{}}
	path := filepath.Join(dir, LockName)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		err = checkFile(path, info)
	}
	if err != nil {
		return nil, err
	}
	if err := json.NewDecoder(io.LimitReader(f, maxLock)).Decode(l); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if l.Version != 1 {
		return nil, fmt.Errorf("%s is of version %d: this program knows version 1", path, l.Version)
	}
	return l, nil
}

// Write writes the lock file of dir, all of it or nothing.
func (l *Lock) Write(dir string) error {
	text, err := json.MarshalIndent(l, "", "\t")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, LockName+".")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, LockName))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
