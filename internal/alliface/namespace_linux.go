package alliface

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const ownNamespace = "/proc/thread-self/ns/net"

// A namespace is the network namespace that a listener was made in. The addresses that come later belong to it, and so
// do the sockets for them, whichever thread they are made by.
type namespace struct{ file *os.File } // nil where there is no /proc

// thisNamespace returns that of the calling thread.
func thisNamespace() *namespace {
	file, err := os.Open(ownNamespace)
	if err != nil {
		file = nil
	}
	return &namespace{file}
}

// do calls f on a thread that is in the namespace.
func (n *namespace) do(f func()) error {
	runtime.LockOSThread()
	here := n.here()
	if here {
		f()
	}
	runtime.UnlockOSThread()
	if here {
		return nil
	}
	return n.elsewhere(f)
}

// here says whether the calling thread is in the namespace.
func (n *namespace) here() bool {
	var want, have unix.Stat_t
	if n.file == nil || unix.Stat(ownNamespace, &have) != nil || unix.Fstat(int(n.file.Fd()), &want) != nil {
		return true
	}
	return want.Dev == have.Dev && want.Ino == have.Ino
}

func (n *namespace) elsewhere(f func()) error {
	done := make(chan error)
	go func() {
		// The thread is never unlocked, so the runtime ends it with the goroutine instead of reusing it.
		runtime.LockOSThread()
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("the network namespace that the listener was made in: %w", os.NewSyscallError("setns", err))
			return
		}
		f()
		done <- nil
	}()
	return <-done
}

func (n *namespace) close() {
	if n.file != nil {
		_ = n.file.Close()
	}
}
