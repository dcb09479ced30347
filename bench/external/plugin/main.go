// Command plugin is the program whose plugins are measured.
package main

import (
	"github.com/epctl/endpoint/bench/external/internal/turn"
	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/plugins/tcp4"
)

func main() { external.Serve(tcp4.Plugin, turn.Plugin) }
