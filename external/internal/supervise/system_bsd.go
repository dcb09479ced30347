//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package supervise

import (
	"runtime"
	"syscall"
)

func lockThread() { runtime.LockOSThread() }

func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// waitExited can't: what waits for the process reaps it.
func waitExited(int) bool { return false }

func keepDescriptors() {}
