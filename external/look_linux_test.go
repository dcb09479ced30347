package external_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// look tells what the program has got from the one that has started it.
func look() string {
	var b strings.Builder
	n, err := os.Stdin.Read(make([]byte, 1))
	fmt.Fprintf(&b, "stdin: %d %v\n", n, err)
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		fmt.Fprintf(&b, "fd: %s %s\n", e.Name(), target)
	}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		fmt.Fprintf(&b, "env: %s\n", name)
	}
	mask := syscall.Umask(0)
	syscall.Umask(mask)
	fmt.Fprintf(&b, "umask: %03o\n", mask)
	pgid, _ := syscall.Getpgid(0)
	fmt.Fprintf(&b, "leader: %v\n", pgid == os.Getpid())
	return b.String()
}
