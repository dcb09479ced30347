//go:build unix && !linux && !darwin && !freebsd

package sockopt

import "syscall"

// sysopt returns what setsockopt(2) calls k, and whether this system has it.
func sysopt(k key, _ bool) (level, name int, ok bool) { return commonOpt(k) }

func queueLimit(uintptr) (int, bool) { return 0, false }

func isMPTCP(uintptr) bool { return false }

func getText(uintptr, int, int) (string, error) { return "", syscall.ENOPROTOOPT }
