//go:build netgo || !((cgo && unix) || darwin || windows)

package sysresolver

const hasCgo = false
