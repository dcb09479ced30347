// Command endpoint-plugin-abstract is the plugin abstract as a program.
package main

import (
	abstract "example.com/plugin-abstract"
	"github.com/epctl/endpoint/external"
)

func main() { external.Serve(abstract.Plugin) }
