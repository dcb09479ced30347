//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package supervise

import (
	"os"
	"syscall"
)

// Open refuses on these systems before anything is started.

func lockThread() {}

func processAttributes() *syscall.SysProcAttr { return nil }

func waitExited(int) bool { return false }

func keepDescriptors() {}

func killGroup(int) {}

func available(*os.File) []byte { return nil }
