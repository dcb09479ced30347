// Package wire is the contract of ../../wire/plugin.proto in Go, and what is sent of the registry's values by it.
package wire

//go:generate ./generate.sh
