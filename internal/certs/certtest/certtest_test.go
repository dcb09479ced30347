package certtest_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs/certtest"
)

func TestWhatIsIssuedVerifies(t *testing.T) {
	authority := certtest.NewAuthority(t)
	names := []string{"a.example", "*.b.example", "127.0.0.1", "::1"}
	tests := map[string]certtest.Spec{
		"plain":        {Names: names},
		"intermediate": {Names: names, Intermediate: true},
		"P-384":        {Names: names, Key: certtest.P384, Format: certtest.SEC1},
		"Ed25519":      {Names: names, Key: certtest.Ed25519},
		"RSA":          {Names: names, Key: certtest.RSA, Format: certtest.PKCS1},
		"SEC 1":        {Names: names, Format: certtest.SEC1},
	}
	for name, spec := range tests {
		t.Run(name, func(t *testing.T) {
			certFile, keyFile, caFile := authority.WritePair(spec)
			pair, err := tls.LoadX509KeyPair(certFile, keyFile)
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			if ca, err := os.ReadFile(caFile); err != nil || !roots.AppendCertsFromPEM(ca) {
				t.Fatalf("no root in %s: %v", caFile, err)
			}
			intermediates := x509.NewCertPool()
			for _, der := range pair.Certificate[1:] {
				c, err := x509.ParseCertificate(der)
				if err != nil {
					t.Fatal(err)
				}
				intermediates.AddCert(c)
			}
			for _, host := range []string{"a.example", "x.b.example", "127.0.0.1", "::1"} {
				options := x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: intermediates}
				if _, err := pair.Leaf.Verify(options); err != nil {
					t.Errorf("for %s: %v", host, err)
				}
			}
		})
	}
}

func TestWhatIsWrongOnPurpose(t *testing.T) {
	authority := certtest.NewAuthority(t)
	now := time.Now()
	tests := map[string]certtest.Spec{
		"expired":       {Names: []string{"a.example"}, NotAfter: now.Add(-time.Hour)},
		"not yet valid": {Names: []string{"a.example"}, NotBefore: now.Add(time.Hour)},
		"no chain":      {Names: []string{"a.example"}, Intermediate: true, LeafOnly: true},
		"self-signed":   {Names: []string{"a.example"}, SelfSigned: true},
		"other name":    {Names: []string{"b.example"}},
		"other usage":   {Names: []string{"a.example"}, Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}},
	}
	for name, spec := range tests {
		t.Run(name, func(t *testing.T) {
			leaf := authority.NewCertificate(spec).Leaf
			if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "a.example", Roots: authority.Pool()}); err == nil {
				t.Error("it verifies")
			}
		})
	}
}

func TestWritePairServesAConnection(t *testing.T) {
	certFile, keyFile, caFile := certtest.WritePair(t, "localhost", "127.0.0.1")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)

	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	deadline := time.Now().Add(30 * time.Second)
	_, _ = near.SetDeadline(deadline), far.SetDeadline(deadline)
	served := make(chan error, 1)
	// A ticket would be written with nobody left to read it.
	config := &tls.Config{Certificates: []tls.Certificate{pair}, SessionTicketsDisabled: true}
	go func() { served <- tls.Server(far, config).Handshake() }()
	client := tls.Client(near, &tls.Config{ServerName: "localhost", RootCAs: roots})
	if err := client.Handshake(); err != nil {
		t.Error(err)
	}
	_ = near.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestAnExpiredAuthority(t *testing.T) {
	authority := certtest.NewAuthorityFor(t, certtest.Spec{CommonName: "old", NotAfter: time.Now().Add(-time.Hour)})
	leaf := authority.NewCertificate(certtest.Spec{Names: []string{"a.example"}}).Leaf
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: authority.Pool()}); err == nil {
		t.Error("an expired root is trusted")
	}
}
