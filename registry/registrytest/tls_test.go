package registrytest_test

import (
	"testing"

	"github.com/epctl/endpoint/registry/registrytest"
)

func TestAPluginThatDoesTLSPasses(t *testing.T) {
	t.Chdir(t.TempDir())
	options := append(secureOptions(t), registrytest.Examples(secureExamples()[:2]...))
	registrytest.Run(t, newSecure().plugin, options...)
}
