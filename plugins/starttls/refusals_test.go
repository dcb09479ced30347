package starttls_test

import (
	"strings"
	"testing"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

func TestRefusalsAndWarnings(t *testing.T) {
	const client, server = "starttls:{tcp:a.example:25}:", "starttls:{tcp:25}:certificate=c.pem:"
	for _, tc := range []struct {
		role     registry.Role
		s        string
		messages []string
		warning  string
	}{
		{registry.RoleClient, client + "smtp", nil, ""},
		{registry.RoleClient, client + "smtp:verify=none", nil, "the server's certificate is not verified: anybody on the way can read and change everything"},
		// ST-04: to go on without TLS has to be written out, and is warned of.
		{registry.RoleClient, client + "smtp:mode=opportunistic", nil, "anybody on the way can keep the server from TLS, and read and change everything"},
		{registry.RoleServer, server + "proto=imap:mode=opportunistic", nil, "anybody on the way can keep the client from TLS, and read and change everything"},
		{registry.RoleClient, client + "proto=postgres:direct=yes", nil, ""},
		{registry.RoleClient, client + "proto=postgres:direct=yes:mode=opportunistic", []string{"has no meaning with direct=yes, which never is in plain text"}, ""},
		{registry.RoleClient, client + "smtp:direct=yes", []string{"is for proto=postgres; elsewhere TLS at once is the endpoint tls"}, ""},
		{registry.RoleClient, client + "smtp:clientName=two words", []string{"must be a name without spaces, of 1 to 256 bytes"}, ""},
		{registry.RoleServer, "starttls:{tcp:25}:smtp", []string{"certificate: has to be given: a PEM file with the server's certificate"}, ""},
		{registry.RoleServer, server + "proto=postgres:greeting=hello:capabilities=A,B", []string{"postgres has no greeting", "postgres has no list of capabilities"}, ""},
		{registry.RoleServer, server + "proto=smtp:host=two words:greeting=" + strings.Repeat("x", 257),
			[]string{"must be a name without spaces, of 1 to 256 bytes", "must be printable, and not longer than 256 bytes"}, ""},
	} {
		_, layer, err := endpoint.Default.Build(tc.s, tc.role)
		var messages []string
		for _, e := range grammar.All(err) {
			messages = append(messages, e.Message)
		}
		warning := ""
		if layer != nil && len(layer.Warnings) > 0 {
			warning = layer.Warnings[0].Message
		}
		if strings.Join(messages, "; ") != strings.Join(tc.messages, "; ") || warning != tc.warning {
			t.Errorf("%s as a %s:\n %q, %q; want\n %q, %q", tc.s, tc.role.Noun(), messages, warning, tc.messages, tc.warning)
		}
	}
}
