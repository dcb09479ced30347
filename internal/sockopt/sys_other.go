//go:build !unix && !windows

package sockopt

import "errors"

func sysopt(key, bool) (level, name int, ok bool) { return 0, 0, false }

func setInt(uintptr, int, int, int) error { return errors.ErrUnsupported }

func setText(uintptr, int, int, string) error { return errors.ErrUnsupported }

func getInt(uintptr, int, int) (int, error) { return 0, errors.ErrUnsupported }

func getText(uintptr, int, int) (string, error) { return "", errors.ErrUnsupported }

func kind(uintptr) (ipv6, stream, listening bool) { return false, false, false }

func queueLimit(uintptr) (int, bool) { return 0, false }

func isMPTCP(uintptr) bool { return false }
