package starttls_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/plugins/starttls"
	"github.com/epctl/endpoint/registry"
)

type nameless struct{}

func (nameless) Dial(context.Context) (net.Conn, error) { return nil, net.ErrClosed }

// ST-16: a stream of XMPP is for a domain, which has to be known even where no certificate is verified.
func TestXMPPNeedsHost(t *testing.T) {
	plugins := registry.Must(registry.New(starttls.Plugin, registry.Plugin{
		Name: "nameless", Doc: "A server without a name.",
		Client: registry.For(func(struct{}) (registry.Client, error) { return nameless{}, nil }),
	}))
	for proto, needed := range map[string]bool{"xmpp": true, "xmpp-server": true, "ldap": false, "postgres": false, "mysql": false, "telnet": false} {
		s := "starttls:endpoint={nameless}:verify=none:proto=" + proto
		_, err := plugins.NewClient(s)
		var fault *grammar.Error
		if needed != errors.As(err, &fault) || needed && !strings.Contains(err.Error(), "host: has to be given") {
			t.Errorf("%s: %v", s, err)
		}
		if _, err := plugins.NewClient(s + ":host=192.0.2.1"); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}
