package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

// A web server whose address is a line of its config, and a client whose transport dials another.
func Example() {
	ctx := context.Background()

	ln, err := endpoint.Listen(ctx, "tcp6:port=0:interface=[::1]")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "hello")
	})}
	go server.Serve(ln)
	defer server.Close()

	port := ln.Addr().(*net.TCPAddr).Port
	client, err := endpoint.NewClient(fmt.Sprintf("tcp6:host=[::1]:port=%d", port))
	if err != nil {
		log.Fatal(err)
	}
	web := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return client.Dial(ctx) },
	}}
	defer web.CloseIdleConnections()
	response, err := web.Get("http://any-name.example/")
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	fmt.Print(string(body))
	// Output: hello
}

// A mistake has a place, and where it can be known a fix.
func ExampleCheck() {
	err := endpoint.Check("tcp6:prot=80:interface=::1")
	for _, e := range grammar.All(err) {
		fmt.Println(e.Caret())
	}
	// Output:
	// tcp6:prot=80:interface=::1
	//      ^^^^ tcp6 has no parameter "prot", did you mean port?
	// fix: port
	// tcp6:prot=80:interface=::1
	//                        ^^^ an address with colons is written [::1] or \:\:1
	// fix: [::1]
}

// What fails after the string is understood is an error of package net.
func ExampleDial_error() {
	_, err := endpoint.Dial(context.Background(), "tcp4:host=127.0.0.1:port=1")
	var op *net.OpError
	fmt.Println(errors.As(err, &op), op.Op, op.Addr)
	// Output: true dial 127.0.0.1:1
}

// A tracer in the context sees what happens.
func ExampleListen_trace() {
	ctx := trace.With(context.Background(), func(e trace.Event) {
		switch e.Kind {
		case trace.Built:
			fmt.Println("built from", e.Layers[0].Text)
		case trace.Listening:
			fmt.Println("listening on", e.Local.(*net.TCPAddr).IP)
		}
	})
	ln, err := endpoint.Listen(ctx, "tcp:port=0:interface=127.0.0.1")
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	// Output:
	// built from tcp:port=0:interface=127.0.0.1
	// listening on 127.0.0.1
}

// pipeOptions are the parameters of a plugin of the application's own.
type pipeOptions struct {
	Greeting string `ep:"greeting" default:"hello" doc:"what the peer says first"`
}

func newPipe(o pipeOptions) (registry.Client, error) {
	if len(o.Greeting) > 10 {
		return nil, registry.Bad("greeting", "is longer than 10 bytes")
	}
	return pipe{o.Greeting}, nil
}

type pipe struct{ greeting string }

func (p pipe) Dial(context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		io.WriteString(theirs, p.greeting)
	}()
	return ours, nil
}

// A registry with one more plugin than the default one.
func Example_plugin() {
	mine, err := endpoint.Default.With(registry.Plugin{
		Name: "pipe", Doc: "A pipe in memory whose peer greets.",
		Client: registry.For(newPipe),
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := mine.NewClient("pipe:greeting=hi")
	if err != nil {
		log.Fatal(err)
	}
	conn, err := client.Dial(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	greeting, _ := io.ReadAll(conn)
	fmt.Println(string(greeting))

	fmt.Println(mine.Check("pipe:greeting=good morning"))
	// Output:
	// hi
	// endpoint "pipe:greeting=good morning": byte 14: is longer than 10 bytes
}
