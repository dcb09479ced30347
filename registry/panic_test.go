package registry_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// panicker is a plugin that panics with the given value, when it is built or when it is used.
func panicker(value any, whenBuilt bool) registry.Plugin {
	build := func() *fake {
		if whenBuilt {
			panic(value)
		}
		return &fake{panics: value}
	}
	return registry.Plugin{
		Name: "boom", Doc: "Panics.",
		Client:       registry.For(func(struct{}) (registry.Client, error) { return build(), nil }),
		Server:       registry.For(func(struct{}) (registry.Server, error) { return build(), nil }),
		PacketClient: registry.For(func(struct{}) (registry.PacketClient, error) { return build(), nil }),
		PacketServer: registry.For(func(struct{}) (registry.PacketServer, error) { return build(), nil }),
		Resolver:     registry.For(func(struct{}) (registry.Resolver, error) { return build(), nil }),
	}
}

func TestAPluginThatPanicsWhenBuiltIsAnErrorOfTheString(t *testing.T) { // PL-13
	r := registry.Must(registry.New(panicker("oh no", true), plugins()[3]))
	cause := errors.New("cause")
	for role, in := range map[registry.Role]string{
		registry.RoleClient: "starttls:{boom}:smtp", registry.RoleServer: "boom", registry.RolePacketClient: "boom",
		registry.RolePacketServer: "boom", registry.RoleResolver: "boom",
	} {
		_, _, err := r.Build(in, role)
		var panicked *registry.PanicError
		all := grammar.All(err)
		if len(all) != 1 || all[0].Message != "plugin boom panicked: oh no" || in[all[0].Start:all[0].End] != "boom" || !errors.As(err, &panicked) {
			t.Errorf("%s: %v", role, err)
			continue
		}
		if panicked.Value != "oh no" || !strings.Contains(string(panicked.Stack), "panicker") || panicked.Unwrap() != nil {
			t.Errorf("%s: %+v", role, panicked)
		}
	}
	_, _, err := registry.Must(registry.New(panicker(cause, true))).Build("boom", registry.RoleClient)
	if !errors.Is(err, cause) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestAPluginThatPanicsWhenUsedIsAnErrorOfTheCall(t *testing.T) { // PL-13
	r := registry.Must(registry.New(panicker("oh no", false)))
	for role, use := range uses(t, r, "boom") {
		var panicked *registry.PanicError
		if err := use(t.Context()); !errors.As(err, &panicked) || err.Error() != "plugin boom panicked: oh no" {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// Which of several layers it was, nobody can tell.
func TestAPanicNamesAllPluginsThatItMayBe(t *testing.T) {
	inner := registry.Plugin{Name: "wrap", Doc: "Wraps.", Client: registry.For(func(o loginClient) (registry.Client, error) { return o.Endpoint, nil })}
	c, err := registry.Must(registry.New(panicker(nil, false), inner, panicking())).NewClient("wrap:{oops}")
	if err != nil {
		t.Fatal(err)
	}
	upgrade := func(_ context.Context, c net.Conn) (net.Conn, error) { return c, nil }
	_, dialed := c.Dial(t.Context())
	_, through := registry.DialThrough(t.Context(), c, upgrade)
	for _, err := range []error{dialed, through} {
		if err == nil || !strings.HasPrefix(err.Error(), "plugin wrap or oops panicked: runtime error: index out of range") {
			t.Errorf("%v", err)
		}
	}
}

func panicking() registry.Plugin {
	return registry.Plugin{Name: "oops", Doc: "Fails.", Client: registry.For(func(struct{}) (registry.Client, error) {
		return dialFunc(func(context.Context) (net.Conn, error) { return []net.Conn{}[len(plugins())], nil }), nil
	})}
}

type dialFunc func(context.Context) (net.Conn, error)

func (f dialFunc) Dial(ctx context.Context) (net.Conn, error) { return f(ctx) }

// A racer upgrades within its race.
type racer struct {
	dialFunc
	raced *bool
}

func (r racer) DialThrough(ctx context.Context, upgrade registry.Upgrade) (net.Conn, error) {
	*r.raced = true
	c, err := r.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return upgrade(ctx, c)
}

func TestDialThroughUpgradesWithinTheRaceWhereThereIsOne(t *testing.T) {
	c1, c2 := net.Pipe()
	defer c1.Close()
	defer c2.Close()
	failed := errors.New("failed")
	plain := dialFunc(func(context.Context) (net.Conn, error) { return c1, nil })
	raced := false
	for _, c := range []registry.Client{plain, racer{plain, &raced}} {
		got, err := registry.DialThrough(t.Context(), c, func(_ context.Context, c net.Conn) (net.Conn, error) { return c2, nil })
		if got != c2 || err != nil {
			t.Errorf("%T: %v, %v", c, got, err)
		}
	}
	if !raced {
		t.Error("the racer was not asked to race")
	}
	broken := dialFunc(func(context.Context) (net.Conn, error) { return nil, failed })
	if _, err := registry.DialThrough(t.Context(), broken, nil); err != failed {
		t.Errorf("%v", err)
	}
}
