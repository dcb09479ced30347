package main

import (
	"encoding/json"
	"errors"
	flags "flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

// pluginSuiteCmd runs the conformance suite in the process that it is in, for the verb test, which starts it with the
// plugin's directory as the working directory. It writes what package testing does with -v, in the form for programs.
type pluginSuiteCmd struct {
	Spec string `arg:"" help:"What to do, as JSON."`
}

// A suiteSpec says what to test.
type suiteSpec struct {
	Path    string            `json:"path"`   // of the program
	Plugin  string            `json:"plugin"` // one that it serves
	Known   []string          `json:"known"`  // examples, wherever they stand
	Lines   []string          `json:"lines"`  // those that are in no README
	Live    []string          `json:"live"`
	Client  string            `json:"client"` // as the flag has it, "" where it is derived
	Files   map[string]string `json:"files"`
	Without map[string]string `json:"without"`
}

// Run does not return: package testing ends the process.
func (c *pluginSuiteCmd) Run(a *app) error {
	var s suiteSpec
	if err := json.Unmarshal([]byte(c.Spec), &s); err != nil {
		return err
	}
	p, err := external.Open(s.Path, external.AllowUnlocked(), external.Stderr(a.err))
	if err != nil {
		return err
	}
	plugins := p.Plugins()
	i := slices.IndexFunc(plugins, func(plugin registry.Plugin) bool { return plugin.Name == s.Plugin })
	if i < 0 {
		return errors.Join(errors.New("the program serves no plugin called "+quoted(s.Plugin)), p.Close())
	}
	others, _ := beside(a.registry, p)
	others = slices.Concat(others, plugins[:i], plugins[i+1:])
	return runSuite(s.Plugin, func(t *testing.T) {
		defer p.Close()
		s.start(t, p, append(slices.Clone(others), plugins[i]))
		registrytest.Run(t, plugins[i], s.options(others)...)
	})
}

// runSuite has package testing run one test, in the way that it keeps for programs that do as go test does.
func runSuite(name string, test func(*testing.T)) error {
	testing.Init()
	if err := flags.CommandLine.Parse([]string{"-test.v=test2json", "-test.timeout=0"}); err != nil {
		return err
	}
	os.Args = os.Args[:1]
	all := func(string, string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: name, F: test}}, nil, nil)
	return nil
}

func (s suiteSpec) options(others []registry.Plugin) []registrytest.Option {
	options := []registrytest.Option{
		registrytest.Beside(others...), registrytest.Examples(s.Lines...), registrytest.Live(s.Live...), registrytest.Files(s.Files),
	}
	if s.Client != "" {
		options = append(options, registrytest.ClientFor(func(_ string, addr net.Addr) string { return clientAt(s.Client, addr) }))
	}
	for check, why := range s.Without {
		options = append(options, registrytest.Without(check, why))
	}
	return options
}

// clientAt puts the address of a server into the description of its client. The @ before a name that is no path is not
// part of it.
func clientAt(text string, addr net.Addr) string {
	address := strings.TrimPrefix(addr.String(), "@")
	host, port, _ := net.SplitHostPort(address)
	return strings.NewReplacer("%a", grammar.Quote(address), "%h", grammar.Quote(host), "%p", port, "%%", "%").Replace(text)
}

// start has the program run before the suite counts what is open. One that was not locked runs already; a locked one is
// started by the first example.
func (s suiteSpec) start(t *testing.T, p *external.Program, plugins []registry.Plugin) {
	r, err := registry.New(plugins...)
	if err != nil {
		return // the suite tells
	}
	for _, line := range s.Known {
		if p.PID() != 0 {
			return
		}
		if at := strings.LastIndex(line, " # "); at >= 0 {
			line = line[:at]
		}
		for _, role := range registry.Roles() {
			if _, _, err := r.Build(strings.TrimSpace(line), role); errors.Is(err, external.ErrPluginGone) {
				t.Fatal(fmt.Errorf("the program can't be used: %w", err))
			}
		}
	}
}
