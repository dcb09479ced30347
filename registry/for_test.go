package registry_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// declare calls For with options of type O and returns what it panics with.
func declare[O any]() (panicked string) {
	defer func() {
		if p := recover(); p != nil {
			panicked = fmt.Sprint(p)
		}
	}()
	registry.For(func(O) (registry.Client, error) { return nil, nil })
	return ""
}

func TestAWrongTagPanics(t *testing.T) {
	type twice struct {
		A string `ep:"a" doc:"x"`
		shared
		B int `ep:"tries" doc:"x"`
	}
	type maps struct {
		A map[string]string `ep:"a" doc:"x"`
		B map[string]string `ep:"b" doc:"x"`
	}
	type rests struct {
		A registry.Client `ep:"a,rest" doc:"x"`
		B registry.Client `ep:"b,rest" doc:"x"`
	}
	for _, tt := range []struct{ got, want string }{
		{declare[int](), "options must be a struct, not int"},
		{declare[*tcpClient](), "options must be a struct, not *registry_test.tcpClient"},
		{declare[struct {
			a string `ep:"a" doc:"x"`
		}](), "field a: has an ep tag and is not exported"},
		{declare[struct {
			A string `ep:"" doc:"x"`
		}](), `field A: "" is no name for a parameter`},
		{declare[struct {
			A string `ep:"a b" doc:"x"`
		}](), `field A: "a b" is no name for a parameter`},
		{declare[struct {
			A string `ep:"ключ" doc:"x"`
		}](), `field A: "ключ" is no name for a parameter`},
		{declare[struct {
			A string `ep:"a"`
		}](), "field A: has no doc tag"},
		{declare[struct {
			A chan int `ep:"a" doc:"x"`
		}](), "field A: a parameter can't be a chan int"},
		{declare[struct {
			A struct{} `ep:"a" doc:"x"`
		}](), "field A: a parameter can't be a struct {}"},
		{declare[struct {
			A any `ep:"a" doc:"x"`
		}](), "field A: a parameter can't be a interface {}"},
		{declare[struct {
			A float64 `ep:"a" doc:"x"`
		}](), "field A: a parameter can't be a float64"},
		{declare[struct {
			A [][]string `ep:"a" doc:"x"`
		}](), "field A: a parameter can't be a [][]string"},
		{declare[struct {
			A map[int]string `ep:"a" doc:"x"`
		}](), "field A: a map must have strings as keys"},
		{declare[struct {
			A map[string]map[string]int `ep:"a" doc:"x"`
		}](), "field A: a parameter can't be a map[string]map[string]int"},
		{declare[struct {
			A string `ep:"a,requird" doc:"x"`
		}](), `field A: the word "requird" does not fit a string`},
		{declare[struct {
			A string `ep:"a,rest" doc:"x"`
		}](), `field A: the word "rest" does not fit a string`},
		{declare[struct {
			A []registry.Client `ep:"a,rest" doc:"x"`
		}](), `field A: the word "rest" does not fit a []registry.Client`},
		{declare[struct {
			A uint32 `ep:"a,port" doc:"x"`
		}](), `field A: the word "port" does not fit a uint32`},
		{declare[struct {
			A string `ep:"a,size" doc:"x"`
		}](), `field A: the word "size" does not fit a string`},
		{declare[struct {
			A int `ep:"a" default:"many" doc:"x"`
		}](), `field A: the default "many": "many" is not a decimal number`},
		{declare[struct {
			A int8 `ep:"a" default:"" doc:"x"`
		}](), `field A: the default "": is empty: a number`},
		{declare[struct {
			A level `ep:"a" default:"middle" doc:"x"`
		}](), `field A: the default "middle": "middle" is neither low nor high`},
		{declare[struct {
			A string `ep:"a" enum:"b,c" default:"d" doc:"x"`
		}](), `field A: the default "d": "d" is not one of b, c`},
		{declare[struct {
			A int `ep:"a,required" default:"1" doc:"x"`
		}](), "field A: can't have a default"},
		{declare[struct {
			A *int `ep:"a" default:"1" doc:"x"`
		}](), "field A: can't have a default"},
		{declare[struct {
			A registry.Client `ep:"a" default:"tcp:a:80" doc:"x"`
		}](), "field A: can't have a default"},
		{declare[struct {
			A *int `ep:"a,required" doc:"x"`
		}](), "field A: a pointer can't be required"},
		{declare[struct {
			A registry.Secret `ep:"a" default:"hunter2" doc:"x"`
		}](), "field A: a secret can't stand in the program"},
		{declare[struct {
			A registry.Secret `ep:"a" enum:"b,c" doc:"x"`
		}](), "field A: a secret can't have an enum"},
		{declare[struct {
			A registry.Client `ep:"a" enum:"b,c" doc:"x"`
		}](), "field A: a client can't have an enum"},
		{declare[struct {
			A int `ep:"a" enum:"1,b" doc:"x"`
		}](), `field A: the enum's "b" is no int`},
		{declare[struct {
			A string `ep:"a" enum:"b,,c" doc:"x"`
		}](), `field A: the enum's "" is no text`},
		{declare[struct {
			A string `ep:"a" os:"linux,windoze" doc:"x"`
		}](), `field A: "windoze" is no system (see runtime.GOOS)`},
		{declare[twice](), `registry_test.twice has two parameters called "tries"`},
		{declare[maps](), `registry_test.maps has two parameters with free keys, "a" and "b"`},
		{declare[rests](), `registry_test.rests has two parameters that take the rest, "a" and "b"`},
	} {
		if want := "registry.For: " + tt.want; tt.got != want {
			t.Errorf("For panics with %q, want %q", tt.got, want)
		}
	}
}

func TestParametersAreWhatTheTagsSay(t *testing.T) {
	type options struct {
		Client registry.Client            `ep:"inner,required,rest" doc:"an endpoint"`
		Size   *int16                     `ep:"size,size" doc:"a size" os:"linux"`
		Ports  []uint16                   `ep:"ports,port" default:"http,443" doc:"some ports"`
		Many   map[string][]netip.Prefix  `ep:"many" doc:"prefixes of each name"`
		Key    registry.Secret            `ep:"key" default:"env:KEY" doc:"a key"`
		Times  []time.Duration            `ep:"times" doc:"some times"`
		Names  []registry.Resolver        `ep:"names" doc:"some resolvers"`
		Proto  string                     `ep:"proto" enum:"a,b" default:"b" doc:"a protocol"`
		_      int                        // nothing to do with endpoints
		Socket                            // by key only
		Tokens map[string]registry.Secret // has no tag
	}
	factory := registry.For(func(o options) (registry.Client, error) { return &fake{options: o}, nil })
	want := []registry.Param{
		{Name: "inner", Doc: "an endpoint", Kind: registry.Kind(registry.RoleClient), Rest: true, Positional: true, Required: true},
		{Name: "size", Doc: "a size", Kind: registry.KindSize, Bits: 16, Positional: true, Optional: true, OS: []string{"linux"}},
		{Name: "ports", Doc: "some ports", Kind: registry.KindPort, Bits: 16, List: true, Positional: true, Default: "http,443"},
		{Name: "many", Doc: "prefixes of each name", Kind: registry.KindPrefix, List: true, Map: true, Optional: true},
		{Name: "key", Doc: "a key", Kind: registry.KindSecret, Positional: true, Default: "env:KEY"},
		{Name: "times", Doc: "some times", Kind: registry.KindDuration, List: true, Positional: true, Optional: true},
		{Name: "names", Doc: "some resolvers", Kind: registry.Kind(registry.RoleResolver), List: true, Positional: true, Optional: true},
		{Name: "proto", Doc: "a protocol", Kind: registry.KindText, Positional: true, Default: "b", Enum: []string{"a", "b"}},
		{Name: "nodelay", Doc: "send at once", Kind: registry.KindBool, Default: "yes"},
		{Name: "mark", Doc: "mark of packets", Kind: registry.KindUint, Bits: 8, Optional: true, OS: []string{"linux", "freebsd"}},
	}
	got := factory.Params()
	if len(got) != len(want) {
		t.Fatalf("%d parameters, want %d", len(got), len(want))
	}
	for i := range want {
		if declared(t, got[i]) != declared(t, want[i]) {
			t.Errorf("parameter %d\n got %s\nwant %s", i, declared(t, got[i]), declared(t, want[i]))
		}
	}
}

// declared is what a parameter declares, without what the registry has prepared for it.
func declared(t *testing.T, p registry.Param) string {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The parameters of an unexported embedded struct are the plugin's own; those of an exported one are shared.
func TestEmbeddedParametersAreGivenByKeyOnlyWhereTheyAreShared(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want int // faults
	}{
		{"tcp6:[::1]:80:0:3", 0},
		{"tcp6:[::1]:80:0:3:no", 1},
		{"tcp6:[::1]:80:0:3:nodelay=no:mark=7", 0},
	} {
		_, _, err := fakes().Build(tt.in, registry.RoleClient)
		if n := len(grammar.All(err)); n != tt.want {
			t.Errorf("%q: %v", tt.in, err)
		}
	}
	o := optionsOf[tcp6Client](t, "tcp6:[::1]:80:0:3:nodelay=no:mark=7", registry.RoleClient)
	if o.Tries != 3 || o.NoDelay || *o.Mark != 7 {
		t.Errorf("%+v", o)
	}
}

func TestBuildOfAFactoryTakesDecodedArguments(t *testing.T) {
	p := plugins()[0]
	args := registry.NewArgs([]registry.Arg{
		{Param: registry.Param{Name: "host"}, Value: "a"},
		{Param: registry.Param{Name: "port"}, Value: uint16(80)},
		{Param: registry.Param{Name: "other"}, Value: "is not the plugin's"},
	})
	e, err := p.Build(registry.RoleClient, args)
	if want := (tcpClient{Host: "a", Port: 80}); err != nil || e.(*fake).options != want {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := p.Build(registry.RoleResolver, args); err == nil || err.Error() != "endpoint: tcp is no resolver" {
		t.Errorf("as a resolver: %v", err)
	}
	if a, ok := args.Get("port"); !ok || a.Value != uint16(80) || len(args.All()) != 3 {
		t.Errorf("%+v", args)
	}
	if _, ok := args.Get("nothing"); ok {
		t.Error("an argument is there that is not")
	}
}

// What comes from another process may have been decoded for other parameters than those of the struct.
func TestArgumentsOfTheWrongTypeAreFaults(t *testing.T) {
	p := registry.Plugin{Name: "all", Client: client[everything]()}
	for _, tt := range []struct {
		param string
		value any
		want  string
	}{
		{"port", uint64(1 << 20), "1048576 is too large"},
		{"uint", int64(-1), "-1 is too large"},
		{"int", uint64(1 << 63), "9223372036854775808 is too large"},
		{"port", "80", "a string can't be a uint16"},
		{"text", int64(65), "a int64 can't be a string"},
		{"text", []any{"a"}, "a list can't be a string"},
		{"ints", int64(1), "a int64 can't be a []int16"},
		{"ints", []any{int64(1), nil}, "a <nil> can't be a int16"},
		{"counts", []any{}, "a list can't be a map[string]int"},
		{"ints", map[string]any{}, "a map can't be a []int16"},
		{"counts", map[string]any{"a": "b"}, "a string can't be a int"},
		{"level", "middle", `"middle" is neither low nor high`},
		{"addr", &fake{}, "a *registry_test.fake can't be a netip.Addr"},
	} {
		_, err := p.Build(registry.RoleClient, registry.NewArgs([]registry.Arg{{Param: registry.Param{Name: tt.param}, Value: tt.value}}))
		var fault *registry.Fault
		if !errors.As(err, &fault) || fault.Param != tt.param || fault.Message != tt.want {
			t.Errorf("%s = %#v: %v, want %s", tt.param, tt.value, err, tt.want)
		}
	}
}

func TestFaultsTellTheirParameterAndCause(t *testing.T) {
	cause := errors.New("cause")
	f := registry.Bad("port", "is bad: %w", cause).WithFix("1").With("a", "b").With("c").UsePlugin("udp")
	want := &registry.Fault{Param: "port", Message: "is bad: cause", Fix: "1", Also: []string{"a", "b", "c"}, Use: "udp", Err: cause}
	if !reflect.DeepEqual(f, want) || f.Error() != "port: is bad: cause" || !errors.Is(f, cause) {
		t.Errorf("%+v, %v", f, f)
	}
	if f := registry.Bad("", "is bad"); f.Error() != "is bad" || f.Unwrap() != nil {
		t.Errorf("%+v, %v", f, f)
	}
}
