package tls

import (
	"errors"
	"net/netip"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/internal/tlsendpoint"
	"github.com/epctl/endpoint/registry"
)

// The order of the parameters is Twisted's, as far as that goes.
type serverOptions struct {
	Path        string          `ep:"path" doc:"directory of PEM files with certificates and keys, one of which is chosen by the name that the client asks for (RFC 6066 section 3)"`
	Port        *uint16         `ep:"port,port" doc:"port to listen on, 443 where not given; 0 picks a free one"`
	Backlog     *int            `ep:"backlog" os:"linux,darwin,freebsd,netbsd,openbsd,dragonfly" doc:"connections that may wait to be accepted, 50 where not given; 0 is the most that the system lets"`
	Interface   netip.Addr      `ep:"interface" doc:"address to bind; all of both families where not given"`
	Endpoint    registry.Server `ep:"endpoint" doc:"what to listen on; TCP where not given"`
	Certificate string          `ep:"certificate" doc:"PEM file with the server's certificate and its intermediates"`
	PrivateKey  string          `ep:"privateKey" doc:"PEM file with the key of the certificate; the certificate's file where not given"`
	tlsconn.ServerOptions
}

const (
	defaultPort    = 443
	defaultBacklog = 50
)

func newServer(o serverOptions) (registry.Server, error) {
	inner, err := o.inner()
	if err := errors.Join(err, o.certificateProblem()); err != nil {
		return nil, err
	}
	spec := tlsconn.ServerSpec{Layer: layer, Dir: o.Path, ServerOptions: o.ServerOptions}
	if o.Certificate != "" {
		spec.Files = []certs.Files{{Certificate: o.Certificate, PrivateKey: o.PrivateKey}}
	}
	return tlsendpoint.NewServer(inner, spec)
}

func (o serverOptions) certificateProblem() error {
	switch {
	case o.Path == "" && o.Certificate == "":
		return registry.Bad("certificate", "has to be given, or a directory of certificates as path")
	case o.Path != "" && o.Certificate != "":
		return registry.Bad("certificate", "can't be given with path, which has the certificates").With("path")
	case o.Path != "" && o.PrivateKey != "":
		return registry.Bad("privateKey", "can't be given with path, which has the keys").With("path")
	}
	return nil
}

// inner is what is listened on.
func (o serverOptions) inner() (registry.Server, error) {
	if o.Endpoint != nil {
		return o.Endpoint, o.besideEndpoint()
	}
	spec := tcpsock.ListenSpec{
		Layer: layer, Addr: netip.AddrPortFrom(o.Interface, valueOr(o.Port, defaultPort)),
		Backlog: valueOr(o.Backlog, defaultBacklog), Options: sockopt.DefaultListen(),
	}
	if !o.Interface.IsValid() {
		spec.Addr, spec.DualStack = netip.AddrPortFrom(netip.IPv6Unspecified(), spec.Addr.Port()), true
	}
	if err := sockopt.Join(spec.Problems("tcp")); err != nil {
		return nil, err
	}
	return tcpsock.NewServer(spec), nil
}

// besideEndpoint refuses what would have no effect.
func (o serverOptions) besideEndpoint() error {
	var problems []error
	for param, given := range map[string]bool{"port": o.Port != nil, "backlog": o.Backlog != nil, "interface": o.Interface.IsValid()} {
		if given {
			problems = append(problems, registry.Bad(param, "is of no effect with an endpoint: give it there").With("endpoint"))
		}
	}
	return errors.Join(problems...)
}

func valueOr[T any](p *T, otherwise T) T {
	if p != nil {
		return *p
	}
	return otherwise
}
