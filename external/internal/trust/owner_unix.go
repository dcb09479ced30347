//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package trust

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkOwner checks that a file belongs to root or the user of this process.
func checkOwner(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("whom %s belongs to is not known", path)
	}
	if stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d: it must belong to root or to user %d", path, stat.Uid, os.Geteuid())
	}
	return nil
}
