package registrytest_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestAPluginThatDoesTLSPasses(t *testing.T) {
	t.Chdir(t.TempDir())
	options := append(secureOptions(t), registrytest.Examples(secureExamples()...))
	registrytest.Run(t, newSecure().plugin, options...)
}

// Live and ClientFor may name the files as examples do, and the longer of two paths goes first.
func TestFilesArePutInPlaceOfThoseThatStringsName(t *testing.T) {
	t.Chdir(t.TempDir())
	var servers []string
	s := newSecure()
	s.inspect = func(certificate string) []registry.Finding {
		servers = append(servers, certificate)
		return nil
	}
	registrytest.Run(t, s.plugin,
		registrytest.Examples("secure:[::1]:443:/f/roots # client", "secure:port=0:certificate=/f # server", "secure:0:certificate=[/f/b] # server"),
		registrytest.Live("secure:1:certificate=/f/bb"),
		registrytest.Files(map[string]string{"/f": `C:\x`, "/f/b": "/y=z", "/f/bb": "/w"}),
		registrytest.Without("close", "there is no such file"), registrytest.Without("conn", "there is no such file"),
		registrytest.Without("context", "there is no such file"))
	slices.Sort(servers)
	if got := strings.Join(slices.Compact(servers), " "); got != `/w /y=z C:\x` {
		t.Errorf("the servers have %s", got)
	}
}

// A connection that is no plugin's may be checked too.
func TestConnectionsOfPackageTLSPass(t *testing.T) {
	authority := certtest.NewAuthority(t)
	certificate := authority.NewCertificate(certtest.Spec{Names: []string{serverName}})
	roots := x509.NewCertPool()
	roots.AddCert(authority.Certificate)
	registrytest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, nil, err
		}
		defer ln.Close()
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			return nil, nil, nil, err
		}
		server, err := ln.Accept()
		if err != nil {
			return nil, nil, nil, errors.Join(err, client.Close())
		}
		c1 := tls.Client(client, &tls.Config{RootCAs: roots, ServerName: serverName, MaxVersion: tls.VersionTLS12})
		c2 := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{certificate}})
		shaken := make(chan error, 1)
		go func() { shaken <- c2.HandshakeContext(t.Context()) }()
		err = errors.Join(c1.HandshakeContext(t.Context()), <-shaken)
		return c1, c2, func() { _, _ = c1.Close(), c2.Close() }, err
	})
}
