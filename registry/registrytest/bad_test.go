package registrytest_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

// A badPlugin breaks one rule.
type badPlugin struct {
	name  string
	check string // the subtest that sees it
	want  string // part of what is reported

	breakIt  func(*loop)   // the plugin
	breakTLS func(*secure) // the plugin instead, if there is one
	readme   func(string) string
	examples []string // instead of the README
	options  []registrytest.Option
}

// badVariable names the bad plugin that a child process runs the suite with.
const badVariable = "REGISTRYTEST_BAD"

// badPatience is how long the suite waits for a bad plugin: long enough for what is good in it, on a slow machine too.
const badPatience = 2 * time.Second

// atOnce is how many bad plugins are tried at once. They mostly wait, so it is more than there are processors.
const atOnce = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	m.Run()
}

// Each check must be seen to fail, and the suite fails its test, so each bad plugin runs in a process of its own.
func TestEachCheckSeesWhatItIsFor(t *testing.T) {
	for _, bad := range badPlugins() {
		t.Run(bad.check+"/"+bad.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestBadPlugin$/^"+bad.check+"$")
			cmd.Env = append(os.Environ(), badVariable+"="+bad.name)
			out, err := cmd.CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("the suite passes:\n%s", out)
			case !bytes.Contains(out, []byte(bad.want)):
				t.Errorf("the suite does not say %q:\n%s", bad.want, out)
			}
		})
	}
}

// TestBadPlugin is what the child process runs.
func TestBadPlugin(t *testing.T) {
	name := os.Getenv(badVariable)
	if name == "" {
		t.Skip("run by TestEachCheckSeesWhatItIsFor")
	}
	for _, bad := range badPlugins() {
		if bad.name == name {
			bad.run(t)
			return
		}
	}
	t.Fatalf("no bad plugin is called %q", name)
}

func (bad badPlugin) run(t *testing.T) {
	if bad.breakTLS != nil {
		bad.runTLS(t)
		return
	}
	l := newLoop()
	if bad.breakIt != nil {
		bad.breakIt(l)
	}
	t.Chdir(t.TempDir())
	if bad.examples == nil {
		text := loopREADME(l.plugin)
		if bad.readme != nil {
			text = bad.readme(text)
		}
		if err := os.WriteFile("README.md", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	options := append(bad.options, registrytest.Examples(bad.examples...), registrytest.Patience(badPatience))
	registrytest.Run(t, l.plugin, options...)
}

func (bad badPlugin) runTLS(t *testing.T) {
	p := newSecure()
	bad.breakTLS(p)
	t.Chdir(t.TempDir())
	options := append(secureOptions(t), registrytest.Examples(secureExamples()...), registrytest.Patience(badPatience))
	registrytest.Run(t, p.plugin, append(options, bad.options...)...)
}

func badPlugins() []badPlugin {
	var list []badPlugin
	for _, group := range [][]badPlugin{
		badDeclarations(), badREADMEs(), badBuilds(), badSecrets(), badContexts(), badCloses(), badConns(), badPackets(), badLeaks(),
		badTLS(), badInspections(),
	} {
		list = append(list, group...)
	}
	return list
}

// declares makes a plugin of which the client declares p beside what is right.
func declares(p ...registry.Param) func(*loop) {
	return func(l *loop) { l.plugin.Client = paramsFactory{p} }
}

func badDeclarations() []badPlugin {
	param := registry.Param{Name: "x", Doc: "what it is", Kind: registry.KindText}
	with := func(change func(*registry.Param)) func(*loop) {
		p := param
		change(&p)
		return declares(p)
	}
	return []badPlugin{
		{name: "plugin name", check: "declaration", want: `"Loop!" is no name for a plugin`,
			breakIt: func(l *loop) { l.plugin.Name = "Loop!" }},
		{name: "plugin doc", check: "declaration", want: "is not a sentence",
			breakIt: func(l *loop) { l.plugin.Doc = "sockets" }},
		{name: "no role", check: "declaration", want: "plays no role",
			breakIt: func(l *loop) { l.plugin = registry.Plugin{Name: "loop", Doc: "Nothing."} }},
		{name: "no doc", check: "declaration", want: `the doc "" is empty`,
			breakIt: with(func(p *registry.Param) { p.Doc = "" })},
		{name: "doc with stop", check: "declaration", want: "ends in a full stop",
			breakIt: with(func(p *registry.Param) { p.Doc = "what it is." })},
		{name: "doc with capital", check: "declaration", want: "starts with a capital",
			breakIt: with(func(p *registry.Param) { p.Doc = "What it is" })},
		{name: "doc in lines", check: "declaration", want: "has several lines",
			breakIt: with(func(p *registry.Param) { p.Doc = "what\nit is" })},
		{name: "param name", check: "declaration", want: "is no name for a parameter",
			breakIt: with(func(p *registry.Param) { p.Name = "x y" })},
		{name: "twice", check: "declaration", want: "is declared twice", breakIt: declares(param, param)},
		{name: "no kind", check: "declaration", want: "has no kind",
			breakIt: with(func(p *registry.Param) { p.Kind = "" })},
		{name: "required with default", check: "declaration", want: "is required, and may be left out",
			breakIt: with(func(p *registry.Param) { p.Required, p.Default = true, "x" })},
		{name: "default", check: "defaults", want: `the default of n does not decode`, examples: []string{"loop # client"},
			breakIt: declares(registry.Param{Name: "n", Doc: "how many", Kind: registry.KindInt, Bits: 8, Default: "many"})},
	}
}

func badREADMEs() []badPlugin {
	without := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	return []badPlugin{
		{name: "title", check: "readme", want: `the title of README.md is "Loop"`, readme: without("# loop", "# Loop")},
		{name: "no section", check: "readme", want: `no section "## Errors"`, readme: without("## Errors", "## Mistakes")},
		{name: "section order", check: "readme", want: `no section "## Errors" in its place`,
			readme: func(s string) string { return without("## Name", "## Errors")(without("## Errors", "## Name")(s)) }},
		{name: "empty section", check: "readme", want: `the section "## See also" of README.md is empty`,
			readme: without("loop(7)\n", "")},
		{name: "table", check: "readme", want: "are not current", readme: without("what the peer wants", "what it wants")},
		{name: "no markers", check: "readme", want: "has no lines", readme: without("parameters:begin", "here")},
		{name: "caret", check: "readme", want: "README.md:", readme: without("^^^^^ port", "^^^^ port")},
		{name: "wrong example", check: "examples", want: `is not right as a stream client`,
			readme: without(":port=80 ", ":prot=80 ")},
		{name: "example without role", check: "examples", want: "no role is named", readme: without(" # client: a remark", "")},
		{name: "example of a strange role", check: "examples", want: `"waiter" is not a role`, readme: without("# server", "# waiter")},
		{name: "no example", check: "examples", want: "no example shows loop as a datagram client",
			readme: without("# packet-client", "# client")},
		{name: "not refused", check: "examples", want: "is not refused", readme: without("tries=4", "tries=3")},
		{name: "other words", check: "examples", want: "is refused by other words", readme: without("is more than 3", "is too much")},
		{name: "nothing to listen on", check: "close", want: "can be listened on",
			readme: without("interface=127.0.0.1", "interface=0.0.0.0")},
	}
}

func badBuilds() []badPlugin {
	build := func(f func(clientOptions) error) func(*loop) { return func(l *loop) { l.build = f } }
	return []badPlugin{
		{name: "build opens", check: "purity", want: "opens descriptors", breakIt: build(func(clientOptions) error {
			f, err := os.Open("/dev/null")
			keep(f)
			return err
		})},
		{name: "build reads", check: "purity", want: "reads or writes", breakIt: build(func(clientOptions) error {
			_, err := os.ReadFile("/etc/hosts")
			return err
		})},
		{name: "plain error", check: "errors", want: "not one by registry.Bad", breakIt: build(func(o clientOptions) error {
			if o.Tries > 3 {
				return errors.New("too many tries")
			}
			return nil
		})},
		{name: "wrong parameter", check: "errors", want: `blames "attempts"`, breakIt: build(func(o clientOptions) error {
			if o.Port == 1 {
				return registry.Bad("attempts", "is more than 3")
			}
			return nil
		})},
		{name: "error in sentences", check: "errors", want: "is not a phrase", breakIt: build(func(o clientOptions) error {
			if o.Port == 1 {
				return registry.Bad("port", "This is wrong.")
			}
			return nil
		})},
		{name: "panic", check: "errors", want: "the plugin panics: oh", breakIt: build(func(o clientOptions) error {
			if o.Port == 1 {
				panic("oh")
			}
			return nil
		})},
		{name: "nothing", check: "errors", want: "no endpoint and no error", breakIt: func(l *loop) {
			l.newClient = func(o clientOptions) (registry.Client, error) {
				if o.Port == 1 {
					return nil, nil
				}
				return dialFunc(nil), nil
			}
		}},
	}
}

// kept keeps files from being collected, and closed.
var kept sync.Map

func keep(f *os.File) { kept.Store(f, true) }

// An openClient is a client that shows what it knows.
type openClient struct {
	dialFunc
	Password string
}

func badSecrets() []badPlugin {
	reveal := func(o clientOptions) string {
		text, _ := o.Password.Reveal(context.Background())
		return text
	}
	return []badPlugin{
		{name: "read when built", check: "secrets", want: "can't be built before its secret is there", breakIt: func(l *loop) {
			l.build = func(o clientOptions) error {
				if _, err := o.Password.Reveal(context.Background()); err != nil {
					return registry.Bad("password", "%w", err)
				}
				return nil
			}
		}},
		{name: "in the endpoint", check: "secrets", want: "the endpoint of", breakIt: func(l *loop) {
			l.newClient = func(o clientOptions) (registry.Client, error) { return openClient{Password: reveal(o)}, nil }
		}},
	}
}
