package registry_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// The options of a client are its parameters: the tags say how they are called, what they are for, and what they are
// where they are not given.
type slowOptions struct {
	Endpoint registry.Client `ep:"endpoint,required" doc:"what to connect to"`
	Delay    time.Duration   `ep:"delay" default:"1s" doc:"time before each dial, at most 1m"`
}

type slowClient struct{ slowOptions }

func newSlowClient(o slowOptions) (registry.Client, error) {
	if o.Delay > time.Minute {
		return nil, registry.Bad("delay", "is more than a minute").WithFix("1m")
	}
	return &slowClient{o}, nil
}

func (c *slowClient) Dial(ctx context.Context) (net.Conn, error) {
	select {
	case <-time.After(c.Delay):
		return c.Endpoint.Dial(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A plugin that wraps another endpoint.
func Example() {
	slow := registry.Plugin{Name: "slow", Doc: "Dials slowly.", Client: registry.For(newSlowClient)}

	r := registry.Must(fakes().With(slow))
	_, err := r.NewClient("slow:endpoint={tcp:example.com:80}:delay=90")
	for _, e := range grammar.All(err) {
		fmt.Println(e.Caret())
	}
	fmt.Print(slow.Markdown())
	// Output:
	// slow:endpoint={tcp:example.com:80}:delay=90
	//                                          ^^ is more than a minute
	// fix: 1m
	// ### Stream client
	//
	// Without a key, in this order: `endpoint`, `delay`.
	//
	// | Parameter | Value | Default | Description |
	// |---|---|---|---|
	// | `endpoint` | stream client | required | what to connect to |
	// | `delay` | duration: 30, 1.5s, 250ms | `1s` | time before each dial, at most 1m |
}

// What a string consists of, with all values.
func ExampleRegistry_Build() {
	_, layer, err := fakes().Build("starttls:{login:user=me:password=hunter2}:smtp", registry.RoleClient)
	if err != nil {
		fmt.Println(err)
		return
	}
	layer.Walk(func(l *registry.Layer, depth int) {
		for _, a := range l.Args {
			if a.Shown() != "" {
				fmt.Printf("%d %s: %s=%s\n", depth, l.Plugin.Name, a.Param.Name, a.Shown())
			}
		}
	})
	// Output:
	// 0 starttls: proto=smtp
	// 1 login: user=me
	// 1 login: password=***
}
