package external_test

import (
	"github.com/epctl/endpoint/plugins/tcp4"
	"github.com/epctl/endpoint/registry"
)

// programs are the plugins that each test program serves, by its name.
func programs() map[string][]registry.Plugin {
	return map[string][]registry.Plugin{
		"tcp": {tcp4.Plugin},
	}
}

func hostile(string) {}
