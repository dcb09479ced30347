// Command endpoint-plugin-dashed is the plugin dashed as a program.
package main

import (
	dashed "example.com/plugin-dashed"
	"github.com/epctl/endpoint/external"
)

func main() { external.Serve(dashed.Plugin) }
