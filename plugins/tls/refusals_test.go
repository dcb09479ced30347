package tls_test

import (
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/plugins/tcp"
	"github.com/epctl/endpoint/plugins/tls"
	"github.com/epctl/endpoint/registry"
)

func TestRefusalsAndWarnings(t *testing.T) {
	plugins := registry.Must(registry.New(tls.Plugin, tcp.Plugin, hostname.Plugin))
	for _, tc := range []struct {
		role    registry.Role
		s       string
		message string // "" where there is none
		warning string
	}{
		{registry.RoleClient, "tls:example.com:443", "", ""},
		{registry.RoleClient, "tls:example.com:443:timeout=5:bindAddress=192.0.2.1:certificate=c.pem:privateKey=k.pem:trustRoots=roots", "", ""},
		// Twisted's host is for verification only where there is an endpoint, and its port is of no meaning.
		{registry.RoleClient, `tls:h:443:endpoint=tcp\:host=192.0.2.1\:port=443`, "", "a port beside an endpoint is of no effect: the endpoint has its own"},
		{registry.RoleClient, "tls:endpoint={hostname:example.com:443}", "", ""},
		{registry.RoleClient, "tls:endpoint={hostname:example.com:443}:timeout=5", "is of no effect with an endpoint: give it there", ""},
		{registry.RoleClient, "tls:endpoint={hostname:example.com:443}:bindAddress=192.0.2.1", "is of no effect with an endpoint: give it there", ""},
		{registry.RoleClient, "tls:port=443", "host: has to be given where there is no endpoint", ""},
		{registry.RoleClient, "tls:exa mple:443", `"exa mple" has ' ', which stands in no name of a host`, ""},
		{registry.RoleClient, "tls:a.example:443:verify=none", "", "the server's certificate is not verified: anybody on the way can read and change everything"},
		{registry.RoleClient, "tls:a.example:443:verify=none:pin=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "", "chain, name and validity of the server's certificate are not checked, only its key"},
		{registry.RoleClient, "tls:a.example:443:pin=abc", `is no pin: 32 bytes in base64 or hex, as epctl tls shows`, ""},
		{registry.RoleServer, "tls:path=/etc/letsencrypt/live", "", ""},
		{registry.RoleServer, "tls:port=443", "certificate: has to be given, or a directory of certificates as path", ""},
		{registry.RoleServer, "tls:/certs:443:certificate=c.pem", "can't be given with path, which has the certificates", ""},
		{registry.RoleServer, "tls:/certs:443:privateKey=k.pem", "can't be given with path, which has the keys", ""},
		{registry.RoleServer, "tls:/certs:clientCA=ca.pem", "is for clientAuth=request or clientAuth=require", ""},
		{registry.RoleServer, "tls:/certs:clientAuth=require", "needs clientCA, the authorities of the clients", ""},
		{registry.RoleServer, "tls:/certs:endpoint={tcp:80}:backlog=5", "is of no effect with an endpoint: give it there", ""},
		{registry.RoleServer, "tls:/certs:interface=192.0.2.1:handshakeTimeout=0", "must be more than 0", ""},
	} {
		_, layer, err := plugins.Build(tc.s, tc.role)
		message, warning := "", ""
		if faults := grammar.All(err); len(faults) > 0 {
			message = faults[0].Message
		}
		if layer != nil && len(layer.Warnings) > 0 {
			warning = layer.Warnings[0].Message
		}
		if message != tc.message || warning != tc.warning {
			t.Errorf("%s as a %s:\n %q, %q; want\n %q, %q", tc.s, tc.role.Noun(), message, warning, tc.message, tc.warning)
		}
	}
}
