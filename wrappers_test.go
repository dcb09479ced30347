package endpoint_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

// A wrapped is a server that a wrapper is put over, and a client that connects to it, with the port in place of %d.
type wrapped struct{ server, client string }

// streams are endpoints for the wrappers to be tried over: each stream plugin that is none itself is in one of them.
var streams = []wrapped{
	{"tcp:port=0:interface=127.0.0.1", "hostname:host=127.0.0.1:port=%d"},
	{"tcp4:port=0:interface=127.0.0.1", "tcp4:host=127.0.0.1:port=%d"},
	{"tcp6:port=0:interface=[::1]", "tcp6:host=[::1]:port=%d"},
	{"alliface:port=0:include=127.0.0.1", "tcp:host=127.0.0.1:port=%d"},
}

// A wrapper is a plugin that encrypts, with what it needs beside the inner endpoint.
type wrapper struct{ name, server, client string }

func encryptions(t *testing.T) []wrapper {
	cert, key, ca := certtest.WritePair(t, "localhost", "127.0.0.1")
	server := fmt.Sprintf(":certificate=[%s]:privateKey=[%s]", cert, key)
	client := fmt.Sprintf(":host=localhost:trustRoots=[%s]", ca)
	return []wrapper{
		{"tls", server, client},
		{"starttls", server + ":proto=smtp", client + ":proto=smtp"},
	}
}

// TLS and STARTTLS keep the promises of a connection over every stream endpoint.
func TestWrappersOverEveryStream(t *testing.T) {
	for _, w := range encryptions(t) {
		for _, s := range streams {
			t.Run(w.name+" over "+s.server, func(t *testing.T) {
				t.Parallel()
				registrytest.TestConn(t, func() (net.Conn, net.Conn, func(), error) { return w.over(s).connect() })
			})
		}
	}
}

// Nothing is left out above.
func TestEveryStreamIsWrapped(t *testing.T) {
	all := fmt.Sprint(streams)
	for _, p := range endpoint.Default.Plugins() {
		if (p.Client != nil || p.Server != nil) && !wraps(p) && !strings.Contains(all, "{"+p.Name+":") && !strings.Contains(all, " "+p.Name+":") {
			t.Errorf("no wrapper is tried over %s", p.Name)
		}
	}
}

// wraps reports whether p has a stream inside, or is one of those that have their own.
func wraps(p registry.Plugin) bool {
	inner := func(param registry.Param) bool {
		return param.Kind.Role() == registry.RoleClient || param.Kind.Role() == registry.RoleServer
	}
	return p.Name == "ssl" || slices.ContainsFunc(slices.Concat(p.Params(registry.RoleClient), p.Params(registry.RoleServer)), inner)
}

// over puts the wrapper over a stream.
func (w wrapper) over(s wrapped) wrapped {
	return wrapped{
		server: w.name + ":endpoint={" + s.server + "}" + w.server,
		client: w.name + ":endpoint={" + s.client + "}" + w.client,
	}
}

// connect makes a connection and returns both ends of it.
func (s wrapped) connect() (client, server net.Conn, stop func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ln, err := endpoint.Listen(ctx, s.server)
	if err != nil {
		return nil, nil, nil, err
	}
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := ln.Accept()
		accepted <- conn
	}()
	at := ln.Addr().String()
	client, err = endpoint.Dial(ctx, strings.Replace(s.client, "%d", at[strings.LastIndex(at, ":")+1:], 1))
	if err != nil {
		_ = ln.Close()
		<-accepted
		return nil, nil, nil, err
	}
	server = <-accepted
	return client, server, func() { _ = client.Close(); _ = server.Close(); _ = ln.Close() }, nil
}
