package guest

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// endWithHost has this process ended with the one that has started it, and all that it has started itself as well. The
// system would kill this process alone; so it is asked to say instead that the time has come. Where it can't be, as in
// programs that use cgo, the system kills.
func endWithHost() {
	if !leads() {
		return
	}
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	go func() {
		<-terminate
		vanish()
	}()
	// It is kept for each thread, and is set for the first.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Gettid() == unix.Getpid() {
		_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0, 0, 0)
		return
	}
	_, _, _ = syscall.AllThreadsSyscall(syscall.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0)
}
