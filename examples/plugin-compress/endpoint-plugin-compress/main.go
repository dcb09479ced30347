// Command endpoint-plugin-compress is the plugin compress as a program.
package main

import (
	compress "example.com/plugin-compress"
	"github.com/epctl/endpoint/external"
)

func main() { external.Serve(compress.Plugin) }
