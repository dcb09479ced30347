// Package sysresolver knows which of package net's two resolvers a program has: the one in Go, which is in all, and that
// of the system's C library, getaddrinfo, which package net calls cgo even where it does not take the cgo tool.
package sysresolver

// HasCgo reports whether package net can ask the system's C library in this program. Where it can't, a [net.Resolver]
// uses the one in Go without a word, whatever it was told to prefer.
func HasCgo() bool { return hasCgo }
