package alliface

import "golang.org/x/sys/windows"

// What bind and socket fail with.
const (
	errInUse    = windows.WSAEADDRINUSE    // the port is taken
	errNotHere  = windows.WSAEADDRNOTAVAIL // the machine has no such address, or not yet
	errNoFamily = windows.WSAEAFNOSUPPORT  // the system was built or started without it
)
