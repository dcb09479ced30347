package tls

import (
	"errors"
	"net/netip"
	"time"

	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/internal/hostname"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcphost"
	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/internal/tlsendpoint"
	"github.com/epctl/endpoint/registry"
)

// The order of the parameters is Twisted's.
type clientOptions struct {
	Host        string          `ep:"host" doc:"name or address that the server's certificate must be for, and that is connected to where there is no endpoint; that of the endpoint where not given"`
	Port        *uint16         `ep:"port,port" doc:"port to connect to, 443 where not given; of no effect with an endpoint, though Twisted wants it there too"`
	Timeout     *time.Duration  `ep:"timeout" doc:"how long a dial may take, looking the name up and the handshake included, 30s where not given; 0 leaves it to the system"`
	BindAddress []netip.Addr    `ep:"bindAddress" doc:"local address, one of each family at most"`
	Certificate string          `ep:"certificate" doc:"PEM file with the certificate to show to a server that asks for one, and its intermediates"`
	PrivateKey  string          `ep:"privateKey" doc:"PEM file with the key of the certificate; the certificate's file where not given"`
	TrustRoots  string          `ep:"trustRoots" doc:"PEM file, or directory of such, with the authorities to trust; the system's where not given"`
	Endpoint    registry.Client `ep:"endpoint" doc:"what the connection goes over; TCP to host and port by Happy Eyeballs where not given"`
	tlsconn.ClientOptions
}

// Warnings tells what is right but not wise.
func (o clientOptions) Warnings() []*registry.Fault {
	warnings := tlsendpoint.Unwise(o.ClientOptions)
	if o.Endpoint != nil && o.Port != nil {
		warnings = append(warnings, registry.Bad("port", "a port beside an endpoint is of no effect: the endpoint has its own").With("endpoint"))
	}
	return warnings
}

const defaultTimeout = 30 * time.Second

func newClient(o clientOptions) (registry.Client, error) {
	inner, err := o.inner()
	if err != nil {
		return nil, err
	}
	name, err := tlsendpoint.Name("host", o.Host, inner)
	if err != nil {
		return nil, err
	}
	return tlsendpoint.NewClient(inner, tlsconn.ClientSpec{
		Layer: layer, Name: name,
		ClientFiles:   tlsconn.ClientFiles{Certificate: o.Certificate, PrivateKey: o.PrivateKey, TrustRoots: o.TrustRoots},
		ClientOptions: o.ClientOptions,
	})
}

// inner is what the connection goes over.
func (o clientOptions) inner() (registry.Client, error) {
	if o.Endpoint != nil {
		return o.Endpoint, o.besideEndpoint()
	}
	if o.Host == "" {
		return nil, registry.Bad("host", "has to be given where there is no endpoint")
	}
	host, err := hostname.Parse(o.Host)
	if err != nil {
		return nil, registry.Bad("host", "%q %w", o.Host, err)
	}
	timeout := defaultTimeout
	if o.Timeout != nil {
		timeout = *o.Timeout
	}
	return tcphost.New(tcphost.Spec{
		Host: host, Port: valueOr(o.Port, defaultPort),
		Race: happyeyeballs.Config{Layer: layer, Timeout: timeout, Local: o.BindAddress},
		Dial: tcpsock.DialSpec{Options: sockopt.DefaultDial()},
	})
}

// besideEndpoint refuses what would have no effect.
func (o clientOptions) besideEndpoint() error {
	var problems []error
	if o.Timeout != nil {
		problems = append(problems, registry.Bad("timeout", "is of no effect with an endpoint: give it there").With("endpoint"))
	}
	if len(o.BindAddress) > 0 {
		problems = append(problems, registry.Bad("bindAddress", "is of no effect with an endpoint: give it there").With("endpoint"))
	}
	return errors.Join(problems...)
}
