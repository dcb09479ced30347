//go:build !linux

package mcast

import (
	"errors"
	"syscall"
)

// prepare is not reached: package packetinfo has failed before.
func prepare(syscall.RawConn, string, bool) error { return errors.ErrUnsupported }
