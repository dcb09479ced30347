//go:build !linux

package trust

import (
	"io"
	"os"
	"path/filepath"
)

// fix arranges that what is executed is what was read: a copy that only this process can change, as descriptors can't
// be executed here.
func (e *Executable) fix() error {
	dir, err := os.MkdirTemp("", "endpoint-plugin")
	if err != nil {
		return err
	}
	e.remove = dir
	path := filepath.Join(dir, filepath.Base(e.file.Name()))
	copied, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o500)
	if err != nil {
		return err
	}
	_, err = io.Copy(copied, e.file)
	_ = e.file.Close()
	if err == nil {
		err = copied.Close()
	}
	if err != nil {
		return err
	}
	e.file, err = os.Open(path)
	e.Path = path
	return err
}

// PathOf is what is executed.
func (e *Executable) PathOf(int) string { return e.Path }
