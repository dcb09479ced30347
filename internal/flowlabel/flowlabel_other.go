//go:build !linux

package flowlabel

import (
	"errors"
	"fmt"
	"runtime"
)

func connect(int, uint32, Address, Address) error {
	return fmt.Errorf("IPv6 flow labels can be chosen on Linux only, not on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
