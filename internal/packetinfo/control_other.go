//go:build !linux

package packetinfo

import "errors"

// Here New is never called for more than reading and writing without information, because Set fails before.
const (
	supported = false
	truncated = 0
	oobSize   = 1
)

func (o Options) set(int, string) error { return errors.ErrUnsupported }

func (m *message) parse([]byte) {}

func (o *oobBuffer) build(bool, *Info, int) []byte { return nil }
