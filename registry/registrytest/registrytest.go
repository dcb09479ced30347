// Package registrytest is the conformance suite that every plugin passes, the built-in ones and other people's, inside
// the program or in one of their own:
//
//	func TestConformance(t *testing.T) { registrytest.Run(t, tcp6.Plugin) }
//
// It reads the plugin's README.md in the working directory of the test, which is the plugin's own, and uses the strings
// in its fenced blocks of the language endpoint, a string a line with the roles that it is for:
//
//	```endpoint
//	tcp6:port=0:interface=[::1]      # server
//	tcp6:host=[::1]:port=https       # client
//	tcp6:port=http:backlog=many      # error: "many" is not a decimal number
//	```
//
// A block of the language caret is a wrong string and what people are shown for it. Strings of servers whose ports are 0
// and whose addresses are loopback ones are listened on; nothing else is ever bound, and nothing is sent but over
// loopback. What the suite can't know of a plugin it is told by options.
package registrytest

import (
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// An Option tells the suite what it can't know of a plugin.
type Option func(*suite)

// Beside names the plugins of inner endpoints that the plugin's examples need.
func Beside(plugins ...registry.Plugin) Option {
	return func(s *suite) { s.beside = append(s.beside, plugins...) }
}

// Examples are lines as in a README's block of the language endpoint, for a plugin that has no README or too few there.
func Examples(lines ...string) Option {
	return func(s *suite) { s.lines = append(s.lines, lines...) }
}

// Files are files that examples name, by the path that stands in the examples, and the paths to use instead: so a README
// shows /etc/endpoint/tls.pem, and the suite listens with a certificate that the test has made. A path is replaced
// wherever it stands in a value, also where it is the first part of a longer one, as that of a directory is; in what Live
// is given and ClientFor returns, too. Examples of what is wrong stay as they are.
func Files(files map[string]string) Option {
	return func(s *suite) {
		var pairs []string
		for _, path := range slices.Backward(slices.Sorted(maps.Keys(files))) { // the longer before what it starts with
			pairs = append(pairs, path, files[path])
		}
		s.files = strings.NewReplacer(pairs...)
	}
}

// Live are descriptions of servers, stream or datagram, that are safe to listen on, beside those on loopback with port 0.
func Live(descriptions ...string) Option {
	return func(s *suite) { s.live = append(s.live, descriptions...) }
}

// ClientFor derives the description of the client that belongs to a server, from the server's description and the
// address that it is bound to. Without it, the client gets the address as host and port, and what else the two have in
// common; what is inside a server is derived likewise.
func ClientFor(f func(server string, addr net.Addr) string) Option {
	return func(s *suite) { s.clientFor = f }
}

// Pipe makes a connection between a stream client of the plugin and a peer, where the plugin is not its own peer.
func Pipe(mp nettest.MakePipe) Option {
	return func(s *suite) { s.pipe = mp }
}

// Servers is how many stream servers of the examples nettest.TestConn tries with their clients, from either side, which
// takes it about a second each; by default the first two. What else is checked of connections is checked of all.
func Servers(n int) Option { return func(s *suite) { s.servers = n } }

// Without leaves out a check for the reason that is given. The checks are the subtests of [Run]: declaration, readme,
// examples, defaults, purity, errors, secrets, inspect, context, close, conn, packet and leaks.
func Without(check, why string) Option {
	return func(s *suite) { s.without[check] = why }
}

type suite struct {
	plugin   registry.Plugin
	registry *registry.Registry
	readme   *readme // nil where there is none
	examples []example

	beside    []registry.Plugin
	lines     []string
	live      []string
	files     *strings.Replacer // of paths in examples; nil where they stay as they are
	clientFor func(string, net.Addr) string
	pipe      nettest.MakePipe
	servers   int // that are tried thoroughly with their clients
	without   map[string]string
	patience  time.Duration // how long the suite waits for what must happen at once before it calls it a hang
}

// Run checks p, each rule in a subtest of its own; a failure tells the rule. It must not run in parallel with other
// tests: it counts the open files and the goroutines of the process.
func Run(t *testing.T, p registry.Plugin, options ...Option) {
	s := newSuite()
	s.plugin = p
	for _, option := range options {
		option(s)
	}
	var err error
	if s.registry, err = registry.New(append(slices.Clone(s.beside), p)...); err != nil {
		ruleValue.fail(t, "%v", err)
		return
	}
	leaks := s.watchLeaks()
	s.load()
	for _, check := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"declaration", s.declaration},
		{"readme", s.sections},
		{"examples", s.checkExamples},
		{"defaults", s.defaults},
		{"purity", s.purity},
		{"errors", s.errors},
		{"secrets", s.secrets},
		{"inspect", s.inspects},
		{"context", s.contexts},
		{"close", s.closes},
		{"conn", s.conns},
		{"packet", s.packets},
		{"leaks", leaks.check},
	} {
		t.Run(check.name, func(t *testing.T) {
			if why, ok := s.without[check.name]; ok {
				t.Skip(why)
			}
			check.run(t)
		})
	}
}

func newSuite() *suite {
	return &suite{without: make(map[string]string), patience: 10 * time.Second, servers: fewServers}
}

// load finds the README and the examples.
func (s *suite) load() {
	if text, err := os.ReadFile(readmeName); err == nil {
		s.readme = parseREADME(string(text))
		s.examples = s.readme.examples
	}
	for _, line := range s.lines {
		s.examples = append(s.examples, parseExample(line, "the option Examples"))
	}
	for i, e := range s.examples {
		if !e.refused {
			s.examples[i].text = s.withFiles(e.text)
		}
	}
	for i, text := range s.live {
		s.live[i] = s.withFiles(text)
	}
}

// withFiles puts the files of the test in place of those that a description names.
func (s *suite) withFiles(text string) string {
	d, err := grammar.Parse(text)
	if s.files == nil || err != nil || s.files.Replace(text) == text {
		return text
	}
	return replaced(d, s.files).String()
}

func replaced(d *grammar.Description, r *strings.Replacer) *grammar.Description {
	out := &grammar.Description{Fields: make([]grammar.Field, len(d.Fields))}
	for i, f := range d.Fields {
		out.Fields[i] = grammar.Field{Key: f.Key, Keyed: f.Keyed, Value: r.Replace(f.Value)}
		if f.Nested != nil {
			out.Fields[i].Nested = replaced(f.Nested, r)
		}
	}
	return out
}

// A rule is one of the design's, as failures quote it.
type rule string

const (
	ruleValue    rule = "a plugin is a value, with a valid name, a sentence that tells what it is, and at least one role"
	ruleDeclared rule = "one declaration per parameter: its tags give name, kind, doc and a default that decodes, and all texts are derived from them"
	ruleREADME   rule = "a plugin's README has the sections Name, Description, Parameters, Examples, Errors, See also, and all that it claims is run"
	rulePure     rule = "building is pure, using is I/O"
	rulePlace    rule = "what fails before I/O is a *grammar.Error with a place; plugins return registry.Bad, and never panic"
	ruleSecret   rule = "secrets are typed: they are read when used, and nothing shows their value"
	ruleContext  rule = "every method that does I/O takes a context, which bounds the call and nothing that comes of it"
	ruleReuse    rule = "compile once, use often: any number of times, from any goroutine"
	ruleSockets  rule = "hand out real sockets: what comes back behaves as package net's does, and what wraps forwards"
	ruleLeak     rule = "no goroutine and no descriptor is left"
)

// fail reports a broken rule.
func (r rule) fail(t *testing.T, format string, args ...any) {
	t.Helper()
	t.Errorf(format+"\nrule: %s", append(args, r)...)
}
