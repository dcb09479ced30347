//go:build !unix

package tcpsock

import (
	"errors"
	"net"
)

// backlogWorks tells whether setBacklog does.
const backlogWorks = false

// setBacklog fails: Windows says that listen on a listening socket succeeds and changes nothing.
func setBacklog(*net.TCPListener, int) error { return errors.ErrUnsupported }
