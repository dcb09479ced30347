package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// A looker is an endpoint that finds what its options tell it to.
type looker struct {
	fake
	lookerOptions
}

type lookerOptions struct {
	Endpoint registry.Client `ep:"endpoint" doc:"what to talk over"`
	Trust    string          `ep:"trust" default:"system" doc:"whom to trust"`
	Key      registry.Secret `ep:"key" doc:"key"`
	Files    []string        `ep:"files" doc:"files"`
	Mode     string          `ep:"mode" doc:"what it does"`
}

var errGone = errors.New("the file is gone")

func (l *looker) Inspect(ctx context.Context) []registry.Finding {
	switch l.Mode {
	case "panic":
		panic("oh no")
	case "quiet":
		return nil
	case "secret":
		key, _ := l.Key.Reveal(ctx)
		return []registry.Finding{registry.Found(registry.LevelError, "key", "%w", fmt.Errorf("%s is no key", key))}
	case "files":
		f := registry.Finding{Fault: *registry.Bad("files", "%w", errGone).WithFix("other.pem").With("trust"), Level: registry.LevelWarning}
		return []registry.Finding{f, registry.Found(registry.LevelNote, "", "is fine else")}
	}
	return []registry.Finding{registry.Found(registry.LevelNote, "trust", "137 roots of the %s", l.Trust)}
}

func lookers() *registry.Registry {
	return registry.Must(fakes().With(registry.Plugin{
		Name: "look", Doc: "Looks.", Client: registry.For(func(o lookerOptions) (registry.Client, error) {
			return &looker{lookerOptions: o}, nil
		}),
	}))
}

// inspected lists what the layers of a string find.
func inspected(ctx context.Context, t *testing.T, in string) string {
	t.Helper()
	_, layer, err := lookers().Build(in, registry.RoleClient)
	if err != nil {
		t.Fatalf("%s: %v", in, err)
	}
	var b strings.Builder
	for _, i := range layer.Inspect(ctx) {
		e := i.Error
		fmt.Fprintf(&b, "%v of %s, %q: %s; %d-%d %s %q %v\n", i.Level, i.Plugin, i.Param, i.Message, e.Start, e.End, e.Message, e.Fix, e.Also)
	}
	return b.String()
}

func TestFindingsHaveTheirPlaces(t *testing.T) {
	for in, want := range map[string]string{
		"tcp:a:80":        "",
		"look:mode=quiet": "",
		"look": `note of look, "trust": 137 roots of the system; 0-4 trust: 137 roots of the system "" []
`,
		"look:trust=us": `note of look, "trust": 137 roots of the us; 11-13 137 roots of the us "" []
`,
		"look:files=a,b:mode=files:trust=us": `warning of look, "files": the file is gone; 11-14 the file is gone "other.pem" [{32 34}]
note of look, "": is fine else; 0-4 is fine else "" []
`,
		"look:{login:{look:{tcp:a:80}:trust=[us]}}:trust=them": `note of look, "trust": 137 roots of the them; 48-52 137 roots of the them "" []
note of look, "trust": 137 roots of the us; 35-39 137 roots of the us "" []
`,
		"starttls:{look:mode=panic}:smtp": `error of look, "": plugin look panicked: oh no; 10-14 plugin look panicked: oh no "" []
`,
		"look:mode=secret:key=" + hunter2: `error of look, "key": *** is no key; 21-37 *** is no key "" []
`,
		`look:{look:mode=files:files=\[a\]}:key=` + hunter2: `note of look, "trust": 137 roots of the system; 0-4 trust: 137 roots of the system "" []
warning of look, "files": the file is gone; 28-33 the file is gone "other.pem" []
note of look, "": is fine else; 6-10 is fine else "" []
`,
	} {
		if got := inspected(t.Context(), t, in); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestAnInspectionKeepsCausesAndHidesSecrets(t *testing.T) { // PA-08
	_, layer, err := lookers().Build("look:mode=secret:key="+hunter2+":endpoint={look:mode=files}", registry.RoleClient)
	if err != nil {
		t.Fatal(err)
	}
	all := layer.Inspect(t.Context())
	encoded, _ := json.Marshal(all)
	for _, i := range all {
		e := i.Error
		if shown := fmt.Sprintf("%+v %+v %s %+v %s", i, *e, e.Caret(), e.Err, encoded); strings.Contains(shown, hunter2) {
			t.Errorf("the secret is shown: %s", shown)
		}
		if strings.Count(e.Input, "*") != len(hunter2) {
			t.Errorf("the finding is about %q", e.Input)
		}
	}
	if all[0].Error.Err != nil || !errors.Is(all[1].Error, errGone) {
		t.Errorf("the causes are %v and %v", all[0].Error.Err, all[1].Error.Err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if shown := fmt.Sprintf(verb, *layer); strings.Contains(shown, hunter2) {
			t.Errorf("the layer shows the secret: %s", shown)
		}
	}
}

func TestWhatIsNotInspectedInTimeSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	want := `error of look, "": could not be inspected: context canceled; 0-4 could not be inspected: context canceled "" []
error of look, "": could not be inspected: context canceled; 6-10 could not be inspected: context canceled "" []
`
	if got := inspected(ctx, t, "look:{look:{tcp:a:80}}"); got != want {
		t.Errorf("%s", got)
	}
}

func TestALayerIsInspectedFromManyGoroutines(t *testing.T) {
	_, layer, err := lookers().Build("look:mode=secret:key="+hunter2, registry.RoleClient)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := layer.Inspect(t.Context()); len(got) != 1 || got[0].Message != "*** is no key" {
				t.Errorf("%+v", got)
			}
		})
	}
	all.Wait()
}

func TestLayersThatAreNotBuiltFindNothing(t *testing.T) {
	_, layer, err := lookers().Build("look:{look:trust=us}:nonsense=1", registry.RoleClient)
	if got := layer.Inspect(t.Context()); err == nil || len(got) != 1 || got[0].Message != "137 roots of the us" {
		t.Errorf("%+v, %v", got, err)
	}
	if got := new(registry.Layer).Inspect(t.Context()); got != nil {
		t.Errorf("%+v", got)
	}
}

func TestLevelsHaveATextForm(t *testing.T) {
	for level, want := range map[registry.Level]string{
		registry.LevelError: "error", registry.LevelWarning: "warning", registry.LevelNote: "note",
	} {
		encoded, err := json.Marshal(level)
		if string(encoded) != `"`+want+`"` || err != nil || level.String() != want {
			t.Errorf("%d: %s, %v, %v", level, encoded, err, level)
		}
		back := registry.Level(9)
		if err := json.Unmarshal(encoded, &back); err != nil || back != level {
			t.Errorf("%s: %v, %v", encoded, back, err)
		}
	}
	none := registry.Level(9)
	if _, err := none.MarshalText(); err == nil || none.String() != "Level(9)" {
		t.Errorf("%v, %v", err, none)
	}
	if err := none.UnmarshalText([]byte("fatal")); err == nil || none != 9 {
		t.Errorf("%v, %v", err, none)
	}
}

func TestAFindingHasThePlaceOfAFault(t *testing.T) {
	_, layer, err := lookers().Build("look:files=a.pem:mode=files", registry.RoleClient)
	if err != nil {
		t.Fatal(err)
	}
	var e *grammar.Error = layer.Inspect(t.Context())[0].Error
	want := "look:files=a.pem:mode=files\n           ^^^^^ the file is gone"
	if got := e.Caret(); !strings.HasPrefix(got, want) {
		t.Errorf("%s", got)
	}
}
