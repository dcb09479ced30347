package registry_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

// layersOf lists the layers of a string, with what each argument shows.
func layersOf(t *testing.T, s string, role registry.Role) string {
	t.Helper()
	_, layer, err := fakes().Build(s, role)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	var b strings.Builder
	layer.Walk(func(l *registry.Layer, depth int) {
		fmt.Fprintf(&b, "%s%s %s: %s\n", strings.Repeat("  ", depth), l.Role, l.Plugin.Name, l.Text())
		for _, a := range l.Args {
			if a.Given {
				fmt.Fprintf(&b, "%s- %s=%s %d\n", strings.Repeat("  ", depth), a.Param.Name, a.Shown(), len(a.Inner))
			}
		}
	})
	return b.String()
}

func TestLayersTellWhatAStringConsistsOf(t *testing.T) {
	for _, tt := range []struct {
		in   string
		role registry.Role
		want string
	}{
		{"TCP:80:interface=[::1]", registry.RoleServer, `
server tcp: TCP:80:interface=\:\:1
- port=80 0
- interface=::1 0
`},
		{`starttls:endpoint=tcp\:[\:\:1]\:25:proto=smtp`, registry.RoleClient, `
client starttls: starttls:endpoint=tcp\:[\:\:1]\:25:proto=smtp
- endpoint= 1
- proto=smtp 0
  client tcp: tcp:\:\:1:25
  - host=::1 0
  - port=25 0
`},
		{"haproxy:haproxy:tcp:80", registry.RoleServer, `
server haproxy: haproxy:haproxy:tcp:80
- endpoint= 1
  server haproxy: haproxy:tcp:80
  - endpoint= 1
    server tcp: tcp:80
    - port=80 0
`},
		{"chain:{tcp:a:80}:{login:password=hunter22}", registry.RoleClient, `
client chain: chain:{tcp:a:80}:{login:password=***}
- endpoint= 2
  client tcp: tcp:a:80
  - host=a 0
  - port=80 0
  client login: login:password=***
  - password=*** 0
`},
		{`chain:tcp\:a\:80:login\:password\=hunter22`, registry.RoleClient, `
client chain: chain:tcp\:a\:80:{login:password=***}
- endpoint= 2
  client tcp: tcp:a:80
  - host=a 0
  - port=80 0
  client login: login:password=***
  - password=*** 0
`},
		{"vault:me:hunter22:realm=hunter23", registry.RoleClient, `
client vault: vault:me:***:realm=***
- user=me 0
- key=*** 0
- tokens=*** 0
`},
		{"static:a=192.0.2.1:b=", registry.RoleResolver, `
resolver static: static:a=192.0.2.1:b=
- names=a=192.0.2.1 b= 0
`},
	} {
		if got := layersOf(t, tt.in, tt.role); got != tt.want[1:] {
			t.Errorf("%q\n got %s\nwant %s", tt.in, got, tt.want[1:])
		}
	}
}

func TestALayerKnowsWhereItsArgumentsStand(t *testing.T) {
	for _, in := range []string{
		"login:{tcp:a:80}:me:password=" + hunter2, "haproxy:trusted=192.0.2.0/24:tcp:80:backlog=7", `login:endpoint=tcp\:a\:80:user=me`,
	} {
		for _, role := range []registry.Role{registry.RoleClient, registry.RoleServer} {
			_, layer, err := fakes().Build(in, role)
			if err != nil {
				continue
			}
			layer.Walk(func(l *registry.Layer, _ int) {
				for _, a := range l.Args {
					for _, f := range a.Fields {
						source := in[f.ValueSpan.Start:f.ValueSpan.End]
						if a.Param.Kind.Role() == "" && source != a.Text && !a.Param.Secret() {
							t.Errorf("%q: %s is %q, and its place has %q", in, a.Param.Name, a.Text, source)
						}
					}
				}
			})
		}
	}
}

func TestDefaultsAreShownAsTheyAreDeclared(t *testing.T) {
	_, layer, err := fakes().Build("tcp:a:80", registry.RoleClient)
	if err != nil {
		t.Fatal(err)
	}
	shown := make(map[string]string)
	for _, a := range layer.Args {
		shown[a.Param.Name] = a.Shown()
	}
	if got := fmt.Sprint(shown); got != "map[bindAddress: host:a port:80 timeout:30]" {
		t.Error(got)
	}
}

func TestALayerIsEncodedWithoutSecrets(t *testing.T) {
	_, layer, err := fakes().Build("starttls:{login:user=me:password="+hunter2+":spare="+hunter2+"}:smtp", registry.RoleClient)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(layer)
	if err != nil || strings.Contains(string(encoded), hunter2) || !strings.Contains(string(encoded), `"Text":"me"`) {
		t.Errorf("%s, %v", encoded, err)
	}
}

func TestATracerIsToldWhatAnEndpointConsistsOf(t *testing.T) {
	c, err := fakes().NewClient("starttls:{login:password=" + hunter2 + "}:smtp")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var events []trace.Event
		ctx := trace.With(t.Context(), func(e trace.Event) { events = append(events, e) })
		_, _ = c.Dial(ctx)
		if len(events) != 2 || events[0].Kind != trace.Built || events[0].Layer != "starttls" || events[0].Time.IsZero() {
			t.Fatalf("%+v", events)
		}
		if w := events[1]; w.Kind != trace.Warning || w.Layer != "login" || !strings.HasPrefix(w.Detail, "password stands in the string") {
			t.Errorf("%+v", w)
		}
		want := "[{starttls 0 starttls:{login:password=***}:smtp} {login 1 login:password=***}]"
		if got := fmt.Sprint(events[0].Layers); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	_, _ = c.Dial(t.Context()) // and nobody where nobody asks
}
