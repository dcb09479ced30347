// Package ssl is the endpoint ssl, as Twisted has it: TLS over TCP, with Twisted's names for its parameters. The endpoint
// tls is the same and more.
package ssl

import (
	"net/netip"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/internal/hostname"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcphost"
	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/internal/tlsendpoint"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the endpoint ssl. Its clients dial, and its listeners accept, *tls.Conn.
var Plugin = registry.Plugin{
	Name:   layer,
	Doc:    "TLS over TCP, with Twisted's parameters.",
	Client: registry.For(newClient),
	Server: registry.For(newServer),
}

const layer = "ssl"

type clientOptions struct {
	Host        string        `ep:"host,required" doc:"name or address to connect to; all addresses of a name are tried, over both families"`
	Port        uint16        `ep:"port,required,port" doc:"port to connect to"`
	Timeout     time.Duration `ep:"timeout" default:"30s" doc:"how long a dial may take, looking the name up and the handshake included; 0 leaves it to the system"`
	BindAddress netip.Addr    `ep:"bindAddress" doc:"local address; only addresses of its family are tried"`
	CertKey     string        `ep:"certKey" doc:"PEM file with the certificate to show to a server that asks for one, and its intermediates"`
	PrivateKey  string        `ep:"privateKey" doc:"PEM file with the key of the certificate; the certificate's file where not given"`
	CACertsDir  string        `ep:"caCertsDir" doc:"directory of PEM files, or one such file, with the authorities to trust; the system's where not given"`
	Hostname    string        `ep:"hostname" doc:"name or address that the server's certificate must be for; host where not given"`
	tlsconn.ClientOptions
}

// Warnings tells what is right but not wise.
func (o clientOptions) Warnings() []*registry.Fault { return tlsendpoint.Unwise(o.ClientOptions) }

func newClient(o clientOptions) (registry.Client, error) {
	host, err := hostname.Parse(o.Host)
	if err != nil {
		return nil, registry.Bad("host", "%q %w", o.Host, err)
	}
	spec := tcphost.Spec{
		Host: host, Port: o.Port,
		Race: happyeyeballs.Config{Layer: layer, Timeout: o.Timeout},
		Dial: tcpsock.DialSpec{Options: sockopt.DefaultDial()},
	}
	if o.BindAddress.IsValid() {
		spec.Race.Local = []netip.Addr{o.BindAddress}
	}
	inner, err := tcphost.New(spec)
	if err != nil {
		return nil, err
	}
	name, err := tlsendpoint.Name("hostname", o.Hostname, inner)
	if err != nil {
		return nil, err
	}
	if o.PrivateKey != "" && o.CertKey == "" {
		return nil, registry.Bad("privateKey", "needs certKey, the certificate of the key")
	}
	c, err := tlsendpoint.NewClient(inner, tlsconn.ClientSpec{
		Layer: layer, Name: name,
		ClientFiles:   tlsconn.ClientFiles{Certificate: o.CertKey, PrivateKey: o.PrivateKey, TrustRoots: o.CACertsDir},
		ClientOptions: o.ClientOptions,
	})
	if err != nil {
		return nil, err
	}
	c.Names = map[string]string{"certificate": "certKey", "trustRoots": "caCertsDir"}
	return c, nil
}

type serverOptions struct {
	Port           uint16     `ep:"port,required,port" doc:"port to listen on; 0 picks a free one"`
	PrivateKey     string     `ep:"privateKey" default:"server.pem" doc:"PEM file with the server's key"`
	CertKey        string     `ep:"certKey" doc:"PEM file with the server's certificate; the key's file where not given"`
	SSLMethod      string     `ep:"sslmethod" default:"SSLv23_METHOD" doc:"SSLv23_METHOD or TLS_METHOD, which are TLS of the versions from minVersion to maxVersion"`
	Interface      netip.Addr `ep:"interface" default:"0.0.0.0" doc:"address to bind; it decides the family"`
	Backlog        int        `ep:"backlog" default:"50" os:"linux,darwin,freebsd,netbsd,openbsd,dragonfly" doc:"connections that may wait to be accepted; 0 is the most that the system lets"`
	ExtraCertChain string     `ep:"extraCertChain" doc:"PEM file with the intermediates of the certificate"`
	DHParameters   string     `ep:"dhParameters" doc:"of no effect: keys are agreed on by elliptic curves (ECDHE), which need no parameters"`
	tlsconn.ServerOptions
}

// Warnings tells what is right but not wise.
func (o serverOptions) Warnings() []*registry.Fault {
	if o.DHParameters == "" {
		return nil
	}
	return []*registry.Fault{registry.Bad("dhParameters", "is of no effect: keys are agreed on by elliptic curves, which need no parameters")}
}

func newServer(o serverOptions) (registry.Server, error) {
	if o.SSLMethod != "SSLv23_METHOD" && o.SSLMethod != "TLS_METHOD" {
		return nil, registry.Bad("sslmethod", "%q is for versions before TLS 1.2, or unknown: choose versions by minVersion and maxVersion", o.SSLMethod).WithFix("SSLv23_METHOD")
	}
	listen := tcpsock.ListenSpec{
		Layer: layer, Addr: netip.AddrPortFrom(o.Interface, o.Port), Backlog: o.Backlog, Options: sockopt.DefaultListen(),
	}
	if err := sockopt.Join(listen.Problems("tcp")); err != nil {
		return nil, err
	}
	files := certs.Files{Certificate: o.CertKey, PrivateKey: o.PrivateKey, Chain: o.ExtraCertChain}
	if files.Certificate == "" {
		files.Certificate = o.PrivateKey
	}
	s, err := tlsendpoint.NewServer(tcpsock.NewServer(listen), tlsconn.ServerSpec{
		Layer: layer, Files: []certs.Files{files}, ServerOptions: o.ServerOptions,
	})
	if err != nil {
		return nil, err
	}
	s.Names = map[string]string{"certificate": "certKey", "chain": "extraCertChain"}
	return s, nil
}
