package registry_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

func TestValuesWithoutAKeyFillParametersAsInTwisted(t *testing.T) {
	addr := netip.MustParseAddr
	for _, tt := range []struct {
		in   string
		role registry.Role
		want any
	}{
		{"tcp:example.com:80", registry.RoleClient, tcpClient{"example.com", 80, 30 * time.Second, netip.Addr{}}},
		{"tcp:80:host=example.com", registry.RoleClient, tcpClient{"example.com", 80, 30 * time.Second, netip.Addr{}}},
		{"tcp:example.com:port=80", registry.RoleClient, tcpClient{"example.com", 80, 30 * time.Second, netip.Addr{}}},
		{"host=example.com:tcp:80", registry.RoleClient, tcpClient{"example.com", 80, 30 * time.Second, netip.Addr{}}},
		{"tcp:example.com:80:5:[::1]", registry.RoleClient, tcpClient{"example.com", 80, 5 * time.Second, addr("::1")}},
		{"tcp:example.com:80:bindAddress=[::1]:5", registry.RoleClient, tcpClient{"example.com", 80, 5 * time.Second, addr("::1")}},
		{"port=80:tcp", registry.RoleServer, tcpServer{80, addr("0.0.0.0"), 50}},
		{"tcp:80:127.0.0.1:7", registry.RoleServer, tcpServer{80, addr("127.0.0.1"), 7}},
		{"tcp:80:backlog=7:127.0.0.1", registry.RoleServer, tcpServer{80, addr("127.0.0.1"), 7}},
		{`unix:/run/a\=b:600`, registry.RoleServer, unixServer{"/run/a=b", 0o600}},
		{`unix:[C:\run\x]`, registry.RoleServer, unixServer{`C:\run\x`, 0o666}},
		{`unix:a:600`, registry.RoleServer, unixServer{`a`, 0o600}},
	} {
		e, _, err := fakes().Build(tt.in, tt.role)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if got := e.(*fake).options; got != tt.want {
			t.Errorf("%q\n got %+v\nwant %+v", tt.in, got, tt.want)
		}
	}
}

// inner returns the options of an inner endpoint.
func inner(t *testing.T, e any) any {
	t.Helper()
	f, ok := e.(*fake)
	if !ok {
		t.Fatalf("no inner endpoint but a %T", e)
	}
	return f.options
}

func TestAnInnerEndpointMayBeWrittenInManyWays(t *testing.T) {
	want := tcpClient{Host: "::1", Port: 25, Timeout: 30 * time.Second}
	for _, in := range []string{
		"starttls:endpoint={tcp:[::1]:25}:proto=smtp",
		"starttls:{tcp:[::1]:25}:smtp",
		`starttls:endpoint={tcp:\:\:1:25}:proto=smtp`,
		`starttls:endpoint=tcp\:\\\:\\\:1\:25:proto=smtp`,
		`starttls:endpoint=[tcp:\:\:1:25]:proto=smtp`,
		`starttls:tcp\:[\:\:1]\:25:smtp`,
	} {
		o := optionsOf[starttlsClient](t, in, registry.RoleClient)
		if got := inner(t, o.Endpoint); got != want || o.Proto != "smtp" {
			t.Errorf("%q\n got %+v\nwant %+v", in, got, want)
		}
	}
}

func TestTheRestOfTheStringMayBeAnEndpoint(t *testing.T) {
	want := tcpServer{8080, netip.MustParseAddr("0.0.0.0"), 5}
	for _, in := range []string{
		"haproxy:tcp:8080:backlog=5",
		"haproxy:tcp:port=8080:backlog=5",
		"haproxy:trusted=192.0.2.0/24:tcp:8080:backlog=5",
		"trusted=192.0.2.0/24:haproxy:tcp:8080:backlog=5",
		"haproxy:{tcp:8080:backlog=5}:trusted=192.0.2.0/24",
		"haproxy:{tcp:8080:backlog=5}:192.0.2.0/24",
		`haproxy:tcp\:8080\:backlog\=5`,
	} {
		o := optionsOf[haproxyServer](t, in, registry.RoleServer)
		if got := inner(t, o.Endpoint); got != want || strings.Contains(in, "192") != (len(o.Trusted) == 1) {
			t.Errorf("%q\n got %+v, %v\nwant %+v", in, got, o.Trusted, want)
		}
	}
	o := optionsOf[haproxyServer](t, "haproxy:haproxy:haproxy:tcp:80", registry.RoleServer)
	for range 2 {
		o = inner(t, o.Endpoint).(haproxyServer)
	}
	if got := inner(t, o.Endpoint).(tcpServer); got.Port != 80 {
		t.Errorf("%+v", got)
	}
}

func TestAListOfEndpointsTakesAllValuesWithoutAKey(t *testing.T) {
	for in, want := range map[string]int{
		"chain:{tcp:a:80}": 1, "chain:{tcp:a:80}:{tcp:b:80}:{tcp:c:80}": 3, "chain:endpoint={tcp:a:80}": 1,
		"chain:wait=5:{tcp:a:80}:{tcp:b:80}": 2, "chain:{tcp:a:80}:wait=5:{tcp:b:80}": 2,
		`chain:tcp\:a\:80:{tcp:b:80}`: 2, "chain:endpoint={tcp:a:80}:{tcp:b:80}": 2,
	} {
		o := optionsOf[chainClient](t, in, registry.RoleClient)
		if len(o.Endpoints) != want || (o.Wait == 5*time.Second) != strings.Contains(in, "wait") {
			t.Errorf("%q: %d endpoints, %v", in, len(o.Endpoints), o.Wait)
		}
		for _, e := range o.Endpoints {
			if inner(t, e).(tcpClient).Port != 80 {
				t.Errorf("%q: %+v", in, e)
			}
		}
	}
}

func TestAMapTakesAllFreeKeys(t *testing.T) {
	o := optionsOf[staticResolver](t, "static:db.example=[192.0.2.1,2001:db8::1]:ttl=5:other_1.example=:x=192.0.2.2", registry.RoleResolver)
	addr := netip.MustParseAddr
	want := map[string][]netip.Addr{"db.example": {addr("192.0.2.1"), addr("2001:db8::1")}, "other_1.example": {}, "x": {addr("192.0.2.2")}}
	if !reflect.DeepEqual(o.Names, want) || o.TTL != 5*time.Second {
		t.Errorf("%+v", o)
	}
	if _, _, err := fakes().Build("static:ключ=192.0.2.1", registry.RoleResolver); err == nil {
		t.Error("a key of other letters than ASCII's is taken")
	}
}

// A name of a parameter where a value stands is a mistake, but not where it may be a value.
func TestAValueMayBeCalledLikeAParameter(t *testing.T) {
	if o := optionsOf[tcpClient](t, "tcp:timeout:80", registry.RoleClient); o.Host != "timeout" {
		t.Errorf("%+v", o)
	}
}

func TestBuildDescriptionLeavesTheDescriptionAlone(t *testing.T) {
	d, err := grammar.Parse("login:user=me:password=" + hunter2 + ":usr=you")
	if err != nil {
		t.Fatal(err)
	}
	before := d.String()
	for range 2 {
		if _, _, err := fakes().BuildDescription(d, registry.RoleClient); err == nil || strings.Contains(err.Error(), hunter2) {
			t.Errorf("%v", err)
		}
	}
	if after := d.String(); after != before || !strings.Contains(d.Input, hunter2) {
		t.Errorf("%q has become %q, of %q", before, after, d.Input)
	}
}

// A description may also be made by a program.
func TestBuildDescriptionTakesOneWithoutPlaces(t *testing.T) {
	d := &grammar.Description{Fields: []grammar.Field{
		{Value: "starttls"}, {Key: "proto", Keyed: true, Value: "smtp"},
		{Key: "endpoint", Keyed: true, Nested: &grammar.Description{Fields: []grammar.Field{{Value: "tcp"}, {Value: "::1"}, {Value: "25"}}}},
	}}
	e, layer, err := fakes().BuildDescription(d, registry.RoleClient)
	if err != nil || inner(t, e.(*fake).options.(starttlsClient).Endpoint).(tcpClient).Host != "::1" {
		t.Errorf("%+v, %v", e, err)
	}
	if layer.Text() != `starttls:proto=smtp:endpoint={tcp:\:\:1:25}` {
		t.Error(layer.Text())
	}
	d.Fields[1].Value = "smpt"
	_, _, err = fakes().BuildDescription(d, registry.RoleClient)
	if e := grammar.All(err); len(e) != 1 || e[0].Input[e[0].Start:e[0].End] != "smpt" {
		t.Errorf("%v", err)
	}
	if _, _, err := fakes().BuildDescription(&grammar.Description{}, registry.RoleClient); err == nil {
		t.Error("nothing is taken")
	}
}

func TestSecretsOfADescriptionThatAProgramMadeAreHidden(t *testing.T) {
	d := &grammar.Description{Fields: []grammar.Field{
		{Value: "starttls"}, {Key: "proto", Keyed: true, Value: "smtp"},
		{Key: "endpoint", Keyed: true, Nested: &grammar.Description{Fields: []grammar.Field{
			{Value: "login"}, {Key: "user", Keyed: true, Value: "me"}, {Key: "password", Keyed: true, Value: hunter2}}}},
	}}
	for range 2 {
		e, layer, err := fakes().BuildDescription(d, registry.RoleClient)
		if all := shown(t, e, layer, err); strings.Contains(all, hunter2) || !strings.Contains(all, "user=me:password=***") {
			t.Error(all)
		}
		d.Fields[1].Value = "smpt"
	}
}

// The levels of braces, of text and of the rest of the string count together.
func TestLevelsOfAllKindsCountTogether(t *testing.T) { // PA-01
	for _, tt := range []struct {
		braces, rests int
		deep          bool
	}{{15, 0, false}, {0, 15, false}, {8, 7, false}, {8, 8, false}, {8, 9, true}, {0, 16, false}, {0, 17, true}, {15, 2, true}} {
		s := strings.Repeat("haproxy:endpoint={", tt.braces) + strings.Repeat("haproxy:", tt.rests) + `tcp\:80` + strings.Repeat("}", tt.braces)
		_, _, err := fakes().Build(s, registry.RoleServer)
		if deep := err != nil && strings.Contains(err.Error(), "nested deeper than the limit of 16 levels"); deep != tt.deep {
			t.Errorf("%d braces and %d rests: %v", tt.braces, tt.rests, err)
		}
	}
}
