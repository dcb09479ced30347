package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

type (
	// gateClient warns about what it is told to.
	gateClient struct {
		Endpoint registry.Client `ep:"endpoint" doc:"what to talk over"`
		Verify   string          `ep:"verify" enum:"full,none" default:"full" doc:"what is verified"`
		Mode     string          `ep:"mode" default:"required" doc:"whether there is a fallback"`
		Password registry.Secret `ep:"password" doc:"what the peer wants to hear"`
		Tries    []int           `ep:"tries" doc:"how often"`
	}
	// pointerWarner has its method on the pointer, embeddedWarner has it from the struct in it.
	pointerWarner struct {
		Port uint16 `ep:"port,port" default:"80" doc:"port"`
	}
	embeddedWarner struct {
		pointerWarner
		Host string `ep:"host,required" doc:"host"`
	}
)

var errMode = errors.New("anyone in the middle can take the encryption away")

func (o gateClient) Warnings() (list []*registry.Fault) {
	warn := func(f *registry.Fault) { list = append(list, f) }
	if o.Verify == "none" {
		warn(registry.Bad("verify", "anyone may be the peer").WithFix("full").With("mode"))
	}
	switch o.Mode {
	case "required":
		return list
	case "opportunistic":
		warn(registry.Bad("mode", "%w", errMode).WithFix("required"))
	case "secret":
		text, _ := o.Password.Reveal(context.Background())
		warn(registry.Bad("password", "%w", fmt.Errorf("%s is short", text)).WithFix(text + text))
	case "other":
		warn(registry.Bad("tries", "none is given"))
		warn(registry.Bad("", "is for tests only").UsePlugin("tcp"))
	case "panic":
		panic("oh no")
	}
	return list
}

func (o *pointerWarner) Warnings() []*registry.Fault {
	if o.Port == 80 {
		return []*registry.Fault{registry.Bad("port", "is not encrypted").WithFix("443")}
	}
	return nil
}

// gates are plugins that warn.
func gates() *registry.Registry {
	more := []registry.Plugin{
		{Name: "gate", Doc: "Warns.", Client: client[gateClient]()},
		{Name: "pointer", Doc: "Warns.", Client: client[pointerWarner]()},
		{Name: "embedded", Doc: "Warns.", Client: client[embeddedWarner]()},
	}
	return registry.Must(fakes().With(more...))
}

// warningsOf lists the warnings of all layers of a string, with their places.
func warningsOf(layer *registry.Layer) []string {
	var list []string
	layer.Walk(func(l *registry.Layer, _ int) {
		for _, w := range l.Warnings {
			text := fmt.Sprintf("%s: %d-%d %s", l.Plugin.Name, w.Start, w.End, w.Message)
			if w.Fix != "" {
				text += " (" + w.Fix + ")"
			}
			for _, also := range w.Also {
				text += fmt.Sprintf(" %d-%d", also.Start, also.End)
			}
			list = append(list, text)
		}
	})
	return list
}

func TestWarningsOfPluginsHavePlacesAsFaultsHave(t *testing.T) {
	for in, want := range map[string][]string{
		"gate":                           nil,
		"gate:verify=none":               {"gate: 12-16 anyone may be the peer (full)"},
		"gate:mode=required:verify=none": {"gate: 26-30 anyone may be the peer (full) 10-18"},
		"gate:mode=opportunistic":        {"gate: 10-23 anyone in the middle can take the encryption away (required)"},
		"gate:{gate:{tcp:a:80}:none}:mode=required": {"gate: 22-26 anyone may be the peer (full)"},
		`gate:endpoint=gate\:verify\=[none]`:        {"gate: 28-34 anyone may be the peer (full)"},
		"GATE:mode=other":                           {"gate: 0-4 tries: none is given", "gate: 0-4 is for tests only (tcp)"},
		"gate:password=env\\:PW:mode=secret":        {"gate: 14-21 " + " is short"},
		"pointer":                                   {"pointer: 0-7 port: is not encrypted"},
		"pointer:http":                              {"pointer: 8-12 is not encrypted (443)"},
		"pointer:443":                               nil,
		"embedded:a":                                nil, // positions are those of the struct in it
		"embedded:host=a":                           {"embedded: 0-8 port: is not encrypted"},
	} {
		_, layer, err := gates().Build(in, registry.RoleClient)
		if err != nil {
			if want != nil {
				t.Errorf("%s: %v", in, err)
			}
			continue
		}
		if got := warningsOf(layer); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n got %q\nwant %q", in, got, want)
		}
		layer.Walk(func(l *registry.Layer, _ int) {
			for _, w := range l.Warnings {
				if w.Input != in && w.Input != strings.Replace(in, `env\:PW`, "*******", 1) {
					t.Errorf("%s: a warning is about %q", in, w.Input)
				}
			}
		})
	}
}

func TestAWarningKeepsItsCause(t *testing.T) {
	_, layer, err := gates().Build("gate:mode=opportunistic", registry.RoleClient)
	if err != nil || !errors.Is(layer.Warnings[0], errMode) {
		t.Errorf("%+v, %v", layer.Warnings, err)
	}
}

func TestAWarningShowsNoSecret(t *testing.T) { // PA-08
	in := "gate:mode=secret:password=" + hunter2
	_, layer, err := gates().Build(in, registry.RoleClient)
	if err != nil || len(layer.Warnings) != 2 {
		t.Fatalf("%+v, %v", layer.Warnings, err)
	}
	for _, w := range layer.Warnings {
		if shown := fmt.Sprintf("%+v %v %s", *w, w.Err, w.Caret()); strings.Contains(shown, hunter2) {
			t.Errorf("the secret is shown: %s", shown)
		}
	}
	if w := layer.Warnings[1]; w.Message != "*** is short" || w.Fix != "" || w.Err != nil {
		t.Errorf("%+v", w)
	}
}

// A plugin that does not build warns of nothing, and what is built inside of what does not build still warns.
func TestOnlyWhatIsBuiltWarns(t *testing.T) {
	for in, want := range map[string]string{
		"gate:verify=none:tries=many":             "",
		"gate:{gate:verify=none}:mode=x:tries=ab": "gate: 18-22 anyone may be the peer (full)",
	} {
		_, layer, err := gates().Build(in, registry.RoleClient)
		if got := strings.Join(warningsOf(layer), "\n"); err == nil || got != want {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
}

func TestAPanicInWarningsIsAnErrorOfTheString(t *testing.T) { // PL-13
	_, layer, err := gates().Build("gate:mode=panic", registry.RoleClient)
	var panicked *registry.PanicError
	if !errors.As(err, &panicked) || len(grammar.All(err)) != 1 || len(layer.Warnings) != 0 {
		t.Errorf("%v", err)
	}
}

func TestAProgramThatHostsAPluginHearsItsWarnings(t *testing.T) {
	p, _ := gates().Lookup("gate")
	args := func(verify string) registry.Args {
		return registry.NewArgs([]registry.Arg{{Param: registry.Param{Name: "verify"}, Value: verify}})
	}
	if got := p.Warnings(registry.RoleClient, args("none")); len(got) != 1 || got[0].Param != "verify" {
		t.Errorf("%+v", got)
	}
	if got := p.Warnings(registry.RoleServer, args("none")); got != nil {
		t.Errorf("of a role that it does not play: %+v", got)
	}
	wrong := registry.NewArgs([]registry.Arg{{Param: registry.Param{Name: "verify"}, Value: 7}})
	if got := p.Warnings(registry.RoleClient, wrong); got != nil {
		t.Errorf("of arguments that do not fit: %+v", got)
	}
	p, _ = gates().Lookup("tcp")
	if got := p.Warnings(registry.RoleClient, registry.NewArgs(nil)); got != nil {
		t.Errorf("of one that never warns: %+v", got)
	}
}

// A farFactory is one that For did not make.
type farFactory struct {
	registry.Factory[registry.Client]
}

func (farFactory) Warnings(args registry.Args) []*registry.Fault {
	a, _ := args.Get("port")
	return []*registry.Fault{registry.Bad("port", "%v is far", a.Value)}
}

func TestAFactoryOfAnotherMakerWarns(t *testing.T) {
	far := registry.Plugin{Name: "far", Doc: "Is far.", Client: farFactory{client[tcpClient]()}}
	_, layer, err := registry.Must(registry.New(far)).Build("far:a:80", registry.RoleClient)
	if got := strings.Join(warningsOf(layer), "\n"); err != nil || got != "far: 6-8 80 is far" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestForPanicsWhereGoForwardsNoWarnings(t *testing.T) {
	type both struct {
		pointerWarner
		gateClient
	}
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "both has no method Warnings") {
			t.Errorf("%s", p)
		}
	}()
	client[both]()
}

func TestATracerIsToldOfTheWarningsOfAllLayers(t *testing.T) {
	s := "gate:{gate:verify=none:mode=opportunistic}:password=" + hunter2
	want := "gate: password stands in the string for all to read: name a variable or a file that holds it\n" +
		"gate: anyone may be the peer\ngate: anyone in the middle can take the encryption away\n"
	c, err := gates().NewClient(s)
	if err != nil {
		t.Fatal(err)
	}
	upgrade := func(_ context.Context, c net.Conn) (net.Conn, error) { return c, nil }
	for name, dial := range map[string]func(context.Context) (net.Conn, error){
		"Dial":        c.Dial,
		"DialThrough": func(ctx context.Context) (net.Conn, error) { return registry.DialThrough(ctx, c, upgrade) },
	} {
		var told strings.Builder
		kinds := ""
		_, _ = dial(trace.With(t.Context(), func(e trace.Event) {
			kinds += string(e.Kind) + " "
			if e.Kind == trace.Warning {
				fmt.Fprintf(&told, "%s: %s\n", e.Layer, e.Detail)
			}
		}))
		if told.String() != want || kinds != "built warning warning warning " {
			t.Errorf("%s: %s: %s", name, kinds, told.String())
		}
	}
}
