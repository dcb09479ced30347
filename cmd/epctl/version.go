package main

import (
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

// Run tells what the binary was built from.
func (c *versionCmd) Run(a *app) error {
	version := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	return a.out.print("epctl " + version + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n")
}
