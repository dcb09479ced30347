package supervise

import (
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// lockThread gives the calling goroutine a thread of its own, with a file mode mask of its own: what the plugin makes
// is for nobody else.
func lockThread() {
	runtime.LockOSThread()
	if unix.Unshare(unix.CLONE_FS) == nil {
		unix.Umask(0o077)
	}
}

// processAttributes have the program end when the thread that has started it does. It is asked to rather than killed, so
// that it can take along what it has started itself; who does not ask for the signal is ended by it. One that means to
// live on could as well have told the system to send none.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// waitExited waits until the process has ended, and leaves it to be reaped. It reports whether it can.
func waitExited(pid int) bool {
	for {
		var info unix.Siginfo
		if err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			return err == nil
		}
	}
}

// keepDescriptors keeps from programs what this process has got from the one that has started it: Go closes only its
// own descriptors there.
func keepDescriptors() {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil && fd > 2 {
			if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
				unix.CloseOnExec(fd)
			}
		}
	}
}
