//go:build !netgo && ((cgo && unix) || darwin || windows)

package sysresolver

// These are the conditions under which package net compiles its calls of getaddrinfo (its files cgo_unix.go and
// conf.go): by the tool cgo on Unix, by calls of system libraries on macOS and Windows; never with the tag netgo.
const hasCgo = true
