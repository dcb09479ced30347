package registry_test

import (
	"context"
	"net"
	"testing"

	"github.com/epctl/endpoint/registry"
)

// A namer is a client that knows a host, and panics where that is "panic".
type namer struct {
	registry.Client
	host string
}

func (n namer) ServerName() string {
	if n.host == "panic" {
		panic("oh no")
	}
	return n.host
}

// A forwarder wraps a client, and a mute does and forwards nothing.
type (
	forwarder struct{ registry.Client }
	mute      struct{ registry.Client }
)

func (f forwarder) ServerName() string { return registry.ServerName(f.Client) }

func TestTheNameOfTheServerComesThroughWrappers(t *testing.T) {
	type host struct {
		Host string `ep:"host,required" doc:"host"`
	}
	type wrapper struct {
		Endpoint registry.Client `ep:"endpoint,required,rest" doc:"what to wrap"`
	}
	plain := dialFunc(func(context.Context) (net.Conn, error) { return nil, nil })
	r := registry.Must(registry.New(
		registry.Plugin{Name: "named", Doc: "Has a host.", Client: registry.For(func(o host) (registry.Client, error) {
			return namer{plain, o.Host}, nil
		})},
		registry.Plugin{Name: "plain", Doc: "Has none.", Client: registry.For(func(struct{}) (registry.Client, error) { return plain, nil })},
		registry.Plugin{Name: "wrap", Doc: "Forwards.", Client: registry.For(func(o wrapper) (registry.Client, error) {
			return forwarder{o.Endpoint}, nil
		})},
		registry.Plugin{Name: "mute", Doc: "Does not.", Client: registry.For(func(o wrapper) (registry.Client, error) {
			return mute{o.Endpoint}, nil
		})},
	))
	for in, want := range map[string]string{
		"named:db.example":           "db.example",
		"wrap:named:db.example":      "db.example",
		"wrap:wrap:named:db.example": "db.example",
		"wrap:mute:named:db.example": "",
		"plain":                      "",
		"wrap:plain":                 "",
		"wrap:named:panic":           "",
	} {
		c, err := r.NewClient(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := registry.ServerName(c); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	for _, none := range []any{nil, 7, plain} {
		if got := registry.ServerName(none); got != "" {
			t.Errorf("%v: %q", none, got)
		}
	}
}
