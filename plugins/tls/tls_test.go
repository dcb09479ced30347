package tls_test

import (
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/plugins/tcp"
	"github.com/epctl/endpoint/plugins/tcp6"
	"github.com/epctl/endpoint/plugins/tls"
	"github.com/epctl/endpoint/registry/registrytest"
)

// The suite includes nettest.TestConn over each server of the README that is on loopback.
func TestConformance(t *testing.T) {
	cert, key, ca := certtest.WritePair(t, "localhost", "127.0.0.1", "::1")
	registrytest.Run(t, tls.Plugin, registrytest.Servers(9),
		registrytest.Beside(tcp.Plugin, tcp6.Plugin, hostname.Plugin),
		registrytest.Files(map[string]string{
			"/etc/endpoint/tls.pem": cert, "/etc/endpoint/key.pem": key, "/etc/endpoint/ca.pem": ca,
			"/etc/endpoint": directory(t, cert, key),
		}),
		registrytest.ClientFor(func(_ string, addr net.Addr) string {
			at := addr.(*net.TCPAddr)
			return fmt.Sprintf("tls:host=[%s]:port=%d:trustRoots=[%s]", at.IP, at.Port, ca)
		}))
}

// directory has a certificate and its key in one file, as Twisted's path may.
func directory(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	var both []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	certtest.WriteFile(t, filepath.Join(dir, "localhost.pem"), both)
	return dir
}

func poolOf(tb testing.TB, file string) *x509.CertPool {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}
