package registry_test

import (
	"context"
	"fmt"
	"net"
	"os"
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

// A mail client may be told not to insist on encryption, and has a file that a string names.
type mailOptions struct {
	Host  string `ep:"host,required" doc:"host to connect to"`
	Mode  string `ep:"mode" enum:"required,opportunistic" default:"required" doc:"whether encryption is a must"`
	Roots string `ep:"roots" default:"/etc/mail/roots.pem" doc:"file of the authorities to trust"`
}

func (o mailOptions) Warnings() []*registry.Fault {
	if o.Mode != "opportunistic" {
		return nil
	}
	return []*registry.Fault{registry.Bad("mode", "a man in the middle can forbid it").WithFix("required")}
}

type mailClient struct{ mailOptions }

func (c mailClient) Dial(context.Context) (net.Conn, error) { return nil, net.ErrClosed }

func (c mailClient) Inspect(context.Context) []registry.Finding {
	if _, err := os.Stat(c.Roots); err != nil {
		return []registry.Finding{registry.Found(registry.LevelError, "roots", "there is no file %s", c.Roots)}
	}
	return []registry.Finding{registry.Found(registry.LevelNote, "roots", "%s is there", c.Roots)}
}

// What is not wise about a string, and what is not so about the machine.
func ExampleLayer_Inspect() {
	mail := registry.Plugin{
		Name: "mail", Doc: "Mail.",
		Client: registry.For(func(o mailOptions) (registry.Client, error) { return mailClient{o}, nil }),
	}
	_, layer, err := registry.Must(registry.New(mail)).Build("mail:mx.example:mode=opportunistic", registry.RoleClient)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range layer.Warnings {
		fmt.Println(w.Caret())
	}
	for _, f := range layer.Inspect(context.Background()) {
		fmt.Printf("%v of %s, %s: %s\n", f.Level, f.Plugin, f.Param, f.Message)
	}
	// Output:
	// mail:mx.example:mode=opportunistic
	//                      ^^^^^^^^^^^^^ a man in the middle can forbid it
	// fix: required
	// error of mail, roots: there is no file /etc/mail/roots.pem
}
