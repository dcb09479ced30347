package starttls_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/plugins/starttls"
	"github.com/epctl/endpoint/plugins/tcp"
	"github.com/epctl/endpoint/plugins/tcp6"
	"github.com/epctl/endpoint/plugins/udp"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) {
	cert, key, ca := certtest.WritePair(t, "localhost")
	registrytest.Run(t, starttls.Plugin,
		registrytest.Beside(tcp.Plugin, tcp6.Plugin, udp.Plugin, hostname.Plugin),
		registrytest.Files(map[string]string{"/etc/endpoint/tls.pem": cert, "/etc/endpoint/key.pem": key, "/etc/endpoint/ca.pem": ca}),
		registrytest.ClientFor(func(server string, addr net.Addr) string {
			at := addr.(*net.TCPAddr)
			_, proto, _ := strings.Cut(server, "proto=")
			proto, _, _ = strings.Cut(proto, ":")
			return fmt.Sprintf("starttls:endpoint={tcp:host=[%s]:port=%d}:host=localhost:trustRoots=[%s]:proto=%s", at.IP, at.Port, ca, proto)
		}))
}
