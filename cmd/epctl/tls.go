package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

type tlsCmd struct {
	String  string        `arg:"" name:"string" help:"Endpoint string of a client that speaks TLS."`
	Timeout time.Duration `default:"30s" help:"Give up after this time; 0 leaves it to the endpoint."`
	JSON    bool          `name:"json" help:"Write JSON."`
	Trace   traceFlag     `help:"Tell on stderr what happens, as lines of text or with =json as JSON."`
}

func (c *tlsCmd) Help() string {
	return "Connects, shakes hands, and shows what was agreed on, the certificates with their pins, how they were verified, and how long each stage took. Certificates are shown also where they are not to be trusted; the exit status is 1 then."
}

func (c *tlsCmd) wanted() []registry.Role { return []registry.Role{registry.RoleClient} }

// shortly is how long to wait, behind a handshake, for a server that does not want the client.
const shortly = 100 * time.Millisecond

// Run dials once. Nothing is sent behind the handshake.
func (c *tlsCmd) Run(ctx context.Context, a *app) error {
	client, layer, err := a.client(c.String)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	traced, flush := a.traced(ctx, c.Trace)
	traced, picture := pictured(traced, traceText, "")
	conn, err := c.dial(traced, client)
	picture.end(conn, err)
	flush()
	report := newTLSReport(layer, client)
	if err != nil {
		report.failed(picture.seen(), err)
	} else {
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		if err = report.connected(conn); err == nil {
			err = refused(conn, shortly)
		}
	}
	report.times(picture)
	return report.tell(a, c.JSON, signalOr(ctx, a.withoutTLS(c.String, layer, err)))
}

func (c *tlsCmd) dial(ctx context.Context, client registry.Client) (net.Conn, error) {
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("not done after %s", c.Timeout))
		defer cancel()
	}
	return client.Dial(ctx)
}

// client builds the client that s is.
func (a *app) client(s string) (registry.Client, *registry.Layer, error) {
	_, layer, err := a.registry.Build(s, registry.RoleClient)
	if err != nil {
		return nil, nil, err
	}
	client, err := a.registry.NewClient(s)
	return client, layer, err
}

// errNoTLS is that a connection is none of TLS.
var errNoTLS = errors.New("the connection is there, and is not encrypted")

// withoutTLS tells how to have TLS where the string has none.
func (a *app) withoutTLS(s string, layer *registry.Layer, err error) error {
	if !errors.Is(err, errNoTLS) {
		return err
	}
	if trust := trustOf(layer, nil); trust.speaks {
		return fmt.Errorf("%w: %s has gone on without TLS", err, layer.Plugin.Name)
	}
	inner, parseErr := grammar.Parse(s)
	if parseErr != nil {
		return err
	}
	masked, parseErr := grammar.Parse(layer.Description.Input)
	if parseErr != nil {
		masked = inner
	}
	for _, host := range []string{"", "NAME"} {
		if _, _, err := a.registry.BuildDescription(wrapped(inner, host), registry.RoleClient); err == nil {
			return &hintedError{fmt.Errorf("%w: %s speaks no TLS by itself", errNoTLS, layer.Plugin.Name),
				"epctl tls '" + wrapped(masked, host).Text(grammar.Brackets) + "'"}
		}
	}
	return err
}

// wrapped is TLS over what d describes.
func wrapped(d *grammar.Description, host string) *grammar.Description {
	out := &grammar.Description{Fields: []grammar.Field{{Value: "tls"}, {Key: "endpoint", Keyed: true, Nested: d}}}
	if host != "" {
		out.Fields = append(out.Fields, grammar.Field{Key: "host", Keyed: true, Value: host})
	}
	return out
}

// A hintedError tells what to do about it.
type hintedError struct {
	error
	hint string
}

func (e *hintedError) Unwrap() error { return e.error }

// A trust is what a client's string says of whom to trust.
type trust struct {
	speaks bool   // some layer speaks TLS
	name   string // whose certificate is expected, "" where that is not known
	roots  string // file or directory, "" for the system's
	pinned bool
}

// trustOf finds the layer that speaks TLS by the parameters that it has.
func trustOf(layer *registry.Layer, client registry.Client) trust {
	t := trust{name: registry.ServerName(client)}
	layer.Walk(func(l *registry.Layer, _ int) {
		if t.speaks {
			return
		}
		for _, arg := range l.Args {
			switch {
			case isTrustRoots(arg.Param.Name):
				t.speaks, t.roots = true, arg.Shown()
			case arg.Param.Name == "pin":
				t.pinned = arg.Given
			}
		}
	})
	return t
}

// isTrustRoots knows a client of TLS by a parameter that all of them have, and Twisted's name for it.
func isTrustRoots(param string) bool { return param == "trustRoots" || param == "caCertsDir" }

// unwrap finds the T that v is, or that it is a wrapper of.
func unwrap[T any](v any) (found T, ok bool) {
	for range 16 { // wrappers of wrappers
		if found, ok = v.(T); ok {
			return found, true
		}
		wrapper, wraps := v.(interface{ NetConn() net.Conn })
		if !wraps {
			break
		}
		v = wrapper.NetConn()
	}
	return found, false
}
