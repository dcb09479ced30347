//go:build !linux

package packetinfo

import "syscall"

// A nameRequest knows no names: without information about datagrams there is no index to ask for.
type nameRequest struct{}

func (r *nameRequest) init() {}

func (r *nameRequest) name(syscall.RawConn, int) (name []byte, found bool) { return nil, false }
