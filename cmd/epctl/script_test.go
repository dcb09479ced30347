package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/epctl/endpoint"
)

// TestMain makes this binary also the program epctl, and epctl-extra, which has plugins more (see extra_test.go).
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"epctl":       main,
		"epctl-extra": func() { os.Exit(withRegistry(extra(endpoint.Default))) },
	})
}

// TestScript runs the scripts, which are the specification of the verbs by example.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}
