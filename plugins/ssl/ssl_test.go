package ssl_test

import (
	"fmt"
	"net"
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/plugins/ssl"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) {
	cert, key, ca := certtest.WritePair(t, "localhost", "127.0.0.1")
	registrytest.Run(t, ssl.Plugin,
		registrytest.Files(map[string]string{"/etc/endpoint/tls.pem": cert, "/etc/endpoint/key.pem": key}),
		registrytest.ClientFor(func(_ string, addr net.Addr) string {
			at := addr.(*net.TCPAddr)
			return fmt.Sprintf("ssl:host=%s:port=%d:caCertsDir=[%s]", at.IP, at.Port, ca)
		}))
}
