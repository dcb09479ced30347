package hostname_test

import (
	"testing"

	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) { registrytest.Run(t, hostname.Plugin) }
