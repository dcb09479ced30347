//go:build unix

// Package owner tells whose a file is.
package owner

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Check returns an error if the file at path, of which info tells, belongs to somebody else than root or the user of
// this process.
func Check(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("whom %s belongs to is not known", path)
	}
	if stat.Uid != 0 && int64(stat.Uid) != int64(os.Geteuid()) {
		return fmt.Errorf("%s belongs to user %d: it must belong to root or to user %d", path, stat.Uid, os.Geteuid())
	}
	return nil
}
