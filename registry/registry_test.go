package registry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

func TestWhatIsNoPluginIsRefused(t *testing.T) { // PL-11
	plays := client[struct{}]()
	named := func(name, doc string) registry.Plugin { return registry.Plugin{Name: name, Doc: doc, Client: plays} }
	for _, tt := range []struct {
		plugins []registry.Plugin
		want    string
	}{
		{[]registry.Plugin{named("a", "One."), named("b", "Two."), named("a", "Three.")},
			`endpoint: two plugins are called "a": one is "One.", the other "Three."`},
		{[]registry.Plugin{{Name: "a", Doc: "Nothing."}}, `endpoint: the plugin "a" plays no role`},
		{[]registry.Plugin{named("", "")}, `endpoint: "" is no name for a plugin: it takes lower-case letters, digits and '-', a letter first`},
		{[]registry.Plugin{named("Tcp", "")}, `endpoint: "Tcp" is no name`},
		{[]registry.Plugin{named("6tcp", "")}, `endpoint: "6tcp" is no name`},
		{[]registry.Plugin{named("-tcp", "")}, `endpoint: "-tcp" is no name`},
		{[]registry.Plugin{named("tcp 6", "")}, `endpoint: "tcp 6" is no name`},
		{[]registry.Plugin{named("tcp.6", "")}, `endpoint: "tcp.6" is no name`},
		{[]registry.Plugin{named("tсp", "")}, `endpoint: "tсp" is no name`}, // Cyrillic
	} {
		if r, err := registry.New(tt.plugins...); r != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	for _, name := range []string{"a", "tcp6", "a-b-2"} {
		if _, err := registry.New(named(name, "")); err != nil {
			t.Error(err)
		}
	}
}

// PL-11: a plugin of a user can't take the name of a built-in one, in whatever order they come.
func TestWithMakesALargerRegistryAndLeavesTheOldOne(t *testing.T) {
	old := fakes()
	mine := registry.Plugin{Name: "mine", Doc: "Mine.", Client: client[struct{}]()}
	more, err := old.With(mine)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := old.Lookup("mine"); ok {
		t.Error("the old registry has the new plugin")
	}
	if p, ok := more.Lookup("MINE"); !ok || p.Name != "mine" || len(more.Plugins()) != len(old.Plugins())+1 {
		t.Error("the new registry does not have the new plugin, or not the old ones")
	}
	if _, err := more.With(registry.Plugin{Name: "tcp", Doc: "Not TCP.", Client: client[struct{}]()}); err == nil ||
		err.Error() != `endpoint: two plugins are called "tcp": one is "TCP.", the other "Not TCP."` {
		t.Errorf("%v", err)
	}
	// The system to judge by is inherited.
	if _, _, err := more.On("plan9").Build("tcp6:host=[::1]:port=80:mark=1", registry.RoleClient); err == nil {
		t.Error("a registry does not know its system")
	}
}

func TestMustPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it does not")
		}
	}()
	registry.Must(registry.New(registry.Plugin{}))
}

func TestPluginsAreSorted(t *testing.T) {
	var names []string
	for _, p := range fakes().Plugins() {
		names = append(names, p.Name)
	}
	if !slices.IsSorted(names) || len(names) != len(plugins()) {
		t.Errorf("%v", names)
	}
}

func TestNamesAreFoundInAnyCaseOfASCIIOnly(t *testing.T) {
	for name, want := range map[string]bool{"tcp": true, "TCP": true, "Tcp6": true, "static": true, "ſtatic": false, "STATIC": true, "": false, "tcp ": false} {
		if _, ok := fakes().Lookup(name); ok != want {
			t.Errorf("Lookup(%q) is %v", name, ok)
		}
	}
}

func TestTheZeroRegistryHasNothing(t *testing.T) {
	r := new(registry.Registry)
	_, err := r.NewClient("tcp:a:80")
	if err == nil || !strings.Contains(err.Error(), `no endpoint is called "tcp"; there are none`) {
		t.Errorf("%v", err)
	}
	if len(r.Plugins()) != 0 || len(r.Complete("")) != 0 {
		t.Error("it has something")
	}
}

func TestRoles(t *testing.T) {
	for in, want := range map[string]string{
		"tcp:a:80":    "[client]",
		"tcp:80":      "[server]",
		"tcp:1:80":    "[client]",
		"udp:80":      "[packet-server]",
		"udp:[::1]:1": "[packet-client]",
		"static:a=":   "[resolver]",
		"bare":        "[client]",
	} {
		roles, err := fakes().Roles(in)
		if got := fmt.Sprint(roles); got != want || err != nil {
			t.Errorf("Roles(%q) is %v, %v, want %s", in, got, err, want)
		}
		if err := fakes().Check(in); err != nil {
			t.Errorf("Check(%q): %v", in, err)
		}
	}
}

// With no role that fits, the faults are those of the role that the string was meant for.
func TestRolesTellTheFaultsOfTheNearestRole(t *testing.T) {
	for in, want := range map[string]string{
		"tcp:port=80:interfce=[::1]":           `did you mean interface?`,
		"tcp:host=a:port=80:timout=1":          `did you mean timeout?`,
		"tcp:host=a:port=99999":                `is above 65535`,
		"tcp:port=99999:backlog=many":          `is above 65535`,
		"nonsense":                             `no endpoint is called "nonsense"`,
		"=":                                    `no endpoint is named`,
		strings.Repeat("x", 9000):              `bytes long`,
		strings.Repeat("{", 17):                `nested deeper`,
		"tcp:port=80:interface={tcp:port=80:x": `no } closes the {`,
	} {
		roles, err := fakes().Roles(in)
		if roles != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Roles(%.40q) is %v, %v, want %s", in, roles, err, want)
		}
		if check := fakes().Check(in); check == nil || check.Error() != err.Error() {
			t.Errorf("Check(%.40q): %v", in, check)
		}
	}
}

func TestCompiledEndpointsUseThePlugin(t *testing.T) {
	failed := errors.New("failed")
	f := &fake{err: failed}
	r := registry.Must(registry.New(registry.Plugin{
		Name: "x", Doc: "X.",
		Client:       registry.For(func(struct{}) (registry.Client, error) { return f, nil }),
		Server:       registry.For(func(struct{}) (registry.Server, error) { return f, nil }),
		PacketClient: registry.For(func(struct{}) (registry.PacketClient, error) { return f, nil }),
		PacketServer: registry.For(func(struct{}) (registry.PacketServer, error) { return f, nil }),
		Resolver:     registry.For(func(struct{}) (registry.Resolver, error) { return f, nil }),
	}))
	for role, use := range uses(t, r, "x") {
		if err := use(t.Context()); err != failed {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// uses compiles a string into an endpoint of each role and returns what uses it.
func uses(t *testing.T, r *registry.Registry, s string) map[registry.Role]func(context.Context) error {
	t.Helper()
	c, err1 := r.NewClient(s)
	srv, err2 := r.NewServer(s)
	pc, err3 := r.NewPacketClient(s)
	ps, err4 := r.NewPacketServer(s)
	res, err5 := r.NewResolver(s)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	return map[registry.Role]func(context.Context) error{
		registry.RoleClient:       func(ctx context.Context) error { _, err := c.Dial(ctx); return err },
		registry.RoleServer:       func(ctx context.Context) error { _, err := srv.Listen(ctx); return err },
		registry.RolePacketClient: func(ctx context.Context) error { _, err := pc.DialPacket(ctx); return err },
		registry.RolePacketServer: func(ctx context.Context) error { _, err := ps.ListenPacket(ctx); return err },
		registry.RoleResolver:     func(ctx context.Context) error { _, err := res.LookupNetIP(ctx, "ip", "a"); return err },
	}
}

func TestAStringThatIsWrongCompilesInNoRole(t *testing.T) {
	r := fakes()
	_, err1 := r.NewClient("x")
	_, err2 := r.NewServer("x")
	_, err3 := r.NewPacketClient("x")
	_, err4 := r.NewPacketServer("x")
	_, err5 := r.NewResolver("x")
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if len(grammar.All(err)) != 1 {
			t.Errorf("%v", err)
		}
	}
}
