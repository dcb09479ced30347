//go:build !windows

package alliface

import "syscall"

// What bind and socket fail with.
const (
	errInUse    = syscall.EADDRINUSE    // the port is taken
	errNotHere  = syscall.EADDRNOTAVAIL // the machine has no such address, or not yet
	errNoFamily = syscall.EAFNOSUPPORT  // the system was built or started without it
)
