//go:build !linux

package udpsock

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
)

func setSegment(syscall.RawConn, int) error {
	return fmt.Errorf("segmentation of datagrams on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
