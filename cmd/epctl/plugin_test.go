package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/registry"
)

// pluginMain makes this binary also the programs that serve plugins, under their names.
func pluginMain() {
	name, ok := strings.CutPrefix(filepath.Base(os.Args[0]), programPrefix)
	if !ok {
		return
	}
	switch name {
	case "crash":
		fmt.Fprintln(os.Stderr, "can't go on: \x1b[31mno fuel")
		os.Exit(3)
	case "witness":
		leaveTrace()
	}
	external.Serve(testPlugins()[name]...)
}

// testPlugins are what each program serves.
func testPlugins() map[string][]registry.Plugin {
	relay := registry.Plugin{
		Name: "relay", Doc: "Goes through another endpoint, and does nothing.",
		Client: registry.For(func(o relayClient) (registry.Client, error) { return o, nil }),
		Server: registry.For(func(o relayServer) (registry.Server, error) { return o.Endpoint, nil }),
	}
	fixed := registry.Plugin{
		Name: "fixed", Doc: "Has one address for all names.",
		Resolver: registry.For(func(o fixedOptions) (registry.Resolver, error) { return o, nil }),
	}
	named := func(p registry.Plugin, name, doc string) registry.Plugin {
		p.Name, p.Doc = name, doc
		return p
	}
	odd := registry.Plugin{
		Name: "odd", Doc: "Has parameters that nobody would guess.",
		Client: registry.For(func(o oddClient) (registry.Client, error) { return o, nil }),
		Server: registry.For(func(noOptions) (registry.Server, error) {
			return serverFunc(func(ctx context.Context) (net.Listener, error) {
				return (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
			}), nil
		}),
	}
	return map[string][]registry.Plugin{
		"odd":     {odd},
		"relay":   {relay},
		"second":  {named(relay, "relay", "Is not the first of its name.")},
		"many":    {named(relay, "many-relay", relay.Doc), fixed},
		"witness": {named(relay, "witness", "Leaves a trace where it is started.")},
		"builtin": {named(relay, "tcp4", "Would like to be the one for TCP.")},
		"garbled": {named(relay, "garbled", "Clears \x1b[2J the terminal.")},
		"sour":    {named(relay, "sour", "no sentence")},
		"quitter": {{
			Name: "quitter", Doc: "Ends in the middle of the work.",
			Server: registry.For(func(relayServer) (registry.Server, error) { return quitter{}, nil }),
		}},
		"keeper": {{
			Name: "keeper", Doc: "Has a secret.",
			Client: registry.For(func(keeperOptions) (registry.Client, error) { return quitter{}, nil }),
		}},
	}
}

// leaveTrace makes a file beside the program.
func leaveTrace() {
	if self, err := os.Executable(); err == nil {
		_ = os.WriteFile(filepath.Join(filepath.Dir(self), "started"), nil, 0o600)
	}
}

type relayClient struct {
	Endpoint registry.Client `ep:"endpoint,required,rest" doc:"what it goes through"`
}

func (c relayClient) Dial(ctx context.Context) (net.Conn, error) { return c.Endpoint.Dial(ctx) }

type relayServer struct {
	Endpoint registry.Server `ep:"endpoint,required,rest" doc:"what it goes through"`
}

type oddClient struct {
	At string `ep:"at,required" doc:"host and port"`
}

func (c oddClient) Dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp4", c.At)
}

type fixedOptions struct {
	Addr netip.Addr `ep:"address,required" doc:"the address"`
}

func (o fixedOptions) LookupNetIP(_ context.Context, network, _ string) ([]netip.Addr, error) {
	return []netip.Addr{o.Addr}, nil
}

type keeperOptions struct {
	Password registry.Secret `ep:"password,required" doc:"what it keeps"`
}

type quitter struct{}

func (quitter) Dial(context.Context) (net.Conn, error) {
	os.Exit(4)
	return nil, nil
}

func (quitter) Listen(context.Context) (net.Listener, error) {
	os.Exit(4)
	return nil, nil
}

// makeProgram is the command "program FILE" of scripts: it makes a program that is what its name says once it is called
// endpoint-plugin-NAME.
func makeProgram(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: program FILE")
	}
	self, err := os.Executable()
	ts.Check(err)
	path := ts.MkAbs(args[0])
	ts.Check(os.Chmod(ts.Getenv("WORK"), 0o755)) // whatever the mask is
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	ts.Check(copyTo(path, self))
}

// copyTo makes a file that is another, or a copy of it. A file that was linked could not be changed by a script.
func copyTo(path, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

// PL-01: the working directory is never one of plugins because nothing is written.
func TestPluginDirs(t *testing.T) {
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	list := func(dirs ...string) string { return strings.Join(dirs, string(filepath.ListSeparator)) }
	root := filepath.VolumeName(wd) + string(filepath.Separator)
	a, b := filepath.Join(root, "a"), filepath.Join(root, "b")
	for name, tc := range map[string]struct {
		args     []string
		variable string
		want     string
		err      string
	}{
		"nothing":              {},
		"the variable":         {variable: list(a, b, a), want: list(a, b)},
		"empty elements":       {variable: list("", a, ""), want: a},
		"relative in variable": {variable: list(".", "x", a), want: a, err: "ENDPOINT_PLUGIN_DIR: . is not an absolute path\nENDPOINT_PLUGIN_DIR: x is not an absolute path"},
		"the flag":             {args: []string{"--plugin-dir", a, "list", "--plugin-dir=" + list(b, a)}, variable: filepath.Join(root, "c"), want: list(a, b)},
		"relative in the flag": {args: []string{"--plugin-dir=x"}, want: filepath.Join(wd, "x")},
		"a flag without value": {args: []string{"--plugin-dir"}, variable: a, want: a},
	} {
		t.Run(name, func(t *testing.T) {
			app := &app{env: func(string) string { return tc.variable }}
			dirs, err := app.pluginDirs(dirsIn(tc.args))
			if got := strings.Join(dirs, string(filepath.ListSeparator)); got != tc.want {
				t.Errorf("got %s", got)
			}
			if text := fmt.Sprint(err); text != tc.err && (err != nil || tc.err != "") {
				t.Errorf("error %s", text)
			}
		})
	}
}

func TestPluginTextFitsTheWidth(t *testing.T) {
	testenv.Need(t, runtime.GOOS != "windows", "plugins that are programs")
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), programPrefix+"many")
	if err := copyTo(program, self); err != nil {
		t.Fatal(err)
	}
	for _, columns := range []int{80, 50} {
		env := map[string]string{"COLUMNS": strconv.Itoa(columns), pluginDirVariable: dir}
		for _, args := range [][]string{{"install", program}, {"list"}, {"verify"}, {"doc", "many"}} {
			var out bytes.Buffer
			p := process{strings.NewReader(""), &out, &out, func(name string) string { return env[name] }}
			if status := run(t.Context(), endpoint.Default, append([]string{"plugins"}, args...), p); status != 0 {
				t.Fatalf("%v: status %d\n%s", args, status, &out)
			}
			text := strings.ReplaceAll(strings.ReplaceAll(out.String(), program, "PATH"), dir, "DIR")
			if lines := tooLong(text, columns); lines != nil {
				t.Errorf("%v at %d columns:\n%s", args, columns, strings.Join(lines, ""))
			}
		}
	}
}
