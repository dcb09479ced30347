//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package guest

import "os"

func endWithHost() {}

func vanish() { os.Exit(1) }
