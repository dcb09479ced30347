// Package tls is the endpoint tls: TLS from the first byte, over another endpoint, or over TCP by a host and a port.
package tls

import (
	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the endpoint tls. Its clients dial, and its listeners accept, *tls.Conn of crypto/tls.
var Plugin = registry.Plugin{
	Name:   layer,
	Doc:    "TLS over another endpoint, or over TCP to a host.",
	Client: registry.For(newClient),
	Server: registry.For(newServer),
}

const layer = "tls"

// An Error is a handshake that failed: errors.As finds it in what Dial returns.
type Error = tlsconn.Error
