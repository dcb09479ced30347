//go:build !windows

package hostsfile

func systemPath() string { return "/etc/hosts" }
