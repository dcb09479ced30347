package certs_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/certs/certtest"
)

// pairs writes pairs of one authority into files of one directory.
type pairs struct {
	t         *testing.T
	authority *certtest.Authority
	dir       string
}

func newPairs(t *testing.T) pairs { return pairs{t, certtest.NewAuthority(t), t.TempDir()} }

func (p pairs) write(file string, spec certtest.Spec) certs.Files {
	p.t.Helper()
	certPEM, keyPEM := p.authority.Issue(spec)
	path := filepath.Join(p.dir, file+".pem")
	mkdir(p.t, filepath.Dir(path))
	write(p.t, path, certPEM, keyPEM)
	return certs.Files{Certificate: path}
}

// hello is what a client of TLS 1.2 with both kinds of signatures sends.
func hello(name string, schemes ...tls.SignatureScheme) *tls.ClientHelloInfo {
	if schemes == nil {
		schemes = []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256, tls.PSSWithSHA256, tls.Ed25519}
	}
	return &tls.ClientHelloInfo{
		ServerName: name, SignatureSchemes: schemes, SupportedVersions: []uint16{tls.VersionTLS13},
		CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256}, SupportedCurves: []tls.CurveID{tls.X25519},
	}
}

func chosen(t *testing.T, s *certs.Store, h *tls.ClientHelloInfo) string {
	t.Helper()
	c, err := s.ForServer(h)
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf.Subject.CommonName
}

func TestServerNamesChooseCertificates(t *testing.T) {
	p := newPairs(t)
	files := []certs.Files{
		p.write("0", certtest.Spec{CommonName: "default", Names: []string{"default.example", "192.0.2.1"}}),
		p.write("1", certtest.Spec{CommonName: "exact", Names: []string{"a.wild.example", "UPPER.example"}}),
		p.write("2", certtest.Spec{CommonName: "wild", Names: []string{"*.wild.example", "wild.example"}}),
	}
	tests := map[string]string{
		"":                  "default",
		"default.example":   "default",
		"nobody.example":    "default",
		"a.wild.example":    "exact",
		"A.Wild.EXAMPLE":    "exact",
		"upper.example":     "exact",
		"b.wild.example":    "wild",
		"wild.example":      "wild",
		"x.b.wild.example":  "default",
		"nolabel":           "default",
		"*.wild.example":    "wild",
		".":                 "default",
		"b.wild.example.":   "wild",
		"\x00.wild.example": "wild",
	}
	for kind, s := range map[string]*certs.Store{"files": certs.NewStore("", files...), "directory": certs.NewStore(p.dir)} {
		for name, want := range tests {
			if got := chosen(t, s, hello(name)); got != want {
				t.Errorf("%s: %q gets %q, want %q", kind, name, got, want)
			}
		}
	}
}

func TestKindsOfKeysBesideEachOther(t *testing.T) {
	p := newPairs(t)
	names := []string{"a.example"}
	rsa := p.write("a-rsa", certtest.Spec{CommonName: "rsa", Names: names, Key: certtest.RSA})
	ecdsa := p.write("b-ecdsa", certtest.Spec{CommonName: "ecdsa", Names: names})
	other := p.write("c", certtest.Spec{CommonName: "other", Names: []string{"other.example"}})
	tests := []struct {
		name    string
		schemes []tls.SignatureScheme
		// what is wanted of the directory, where ECDSA comes first, and of files in the order rsa, ecdsa, other
		directory, files string
	}{
		{"a.example", nil, "ecdsa", "rsa"},
		{"a.example", []tls.SignatureScheme{tls.PSSWithSHA256}, "rsa", "rsa"},
		{"a.example", []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, "ecdsa", "ecdsa"},
		{"a.example", []tls.SignatureScheme{tls.ECDSAWithP521AndSHA512}, "ecdsa", "rsa"}, // none fits
		{"other.example", []tls.SignatureScheme{tls.PSSWithSHA256}, "other", "other"},    // nor here
		{"", nil, "ecdsa", "rsa"},
		{"", []tls.SignatureScheme{tls.PSSWithSHA256}, "rsa", "rsa"},
		{"nobody.example", []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, "ecdsa", "ecdsa"},
	}
	directory, files := certs.NewStore(p.dir), certs.NewStore("", rsa, ecdsa, other)
	for _, test := range tests {
		if got := chosen(t, directory, hello(test.name, test.schemes...)); got != test.directory {
			t.Errorf("directory: %q with %v gets %q, want %q", test.name, test.schemes, got, test.directory)
		}
		if got := chosen(t, files, hello(test.name, test.schemes...)); got != test.files {
			t.Errorf("files: %q with %v gets %q, want %q", test.name, test.schemes, got, test.files)
		}
	}
}

func TestOfSeveralTheNewestThatIsValidIsServed(t *testing.T) {
	p := newPairs(t)
	names := []string{"a.example", "*.b.example"}
	now := time.Now()
	for file, days := range map[string][2]int{"1-expired": {-90, -1}, "2-older": {-60, 30}, "3-newest": {-2, 60}, "4-not-yet": {1, 90}} {
		p.write(file, certtest.Spec{CommonName: file, Names: names, NotBefore: now.AddDate(0, 0, days[0]), NotAfter: now.AddDate(0, 0, days[1])})
	}
	for _, name := range []string{"a.example", "x.b.example", "", "nobody.example"} {
		if got := chosen(t, certs.NewStore(p.dir), hello(name)); got != "3-newest" {
			t.Errorf("%q gets %q", name, got)
		}
	}
}

func TestAnExpiredCertificateIsBetterThanNone(t *testing.T) {
	p := newPairs(t)
	for _, file := range []string{"1", "2"} {
		p.write(file, certtest.Spec{CommonName: "old", Names: []string{"a.example"}, NotAfter: time.Now().Add(-time.Hour)})
	}
	if got := chosen(t, certs.NewStore(p.dir), hello("a.example")); got != "old" {
		t.Errorf("there is %q", got)
	}
}

func TestForClientChoosesWhatTheServerTakes(t *testing.T) {
	p := newPairs(t)
	ecdsa := p.write("ecdsa", certtest.Spec{CommonName: "ecdsa", Names: []string{"a.example"}, Intermediate: true})
	rsa := p.write("rsa", certtest.Spec{CommonName: "rsa", Names: []string{"a.example"}, Key: certtest.RSA})
	s := certs.NewStore("", ecdsa, rsa)
	both := []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256, tls.PSSWithSHA256}
	ours, theirs := [][]byte{p.authority.Certificate.RawSubject}, [][]byte{certtest.NewAuthorityFor(t, certtest.Spec{CommonName: "other"}).Certificate.RawSubject}
	tests := []struct {
		schemes     []tls.SignatureScheme
		authorities [][]byte
		want        string
	}{
		{both, nil, "ecdsa"},
		{both, ours, "ecdsa"}, // by its intermediate
		{both[1:], ours, "rsa"},
		{both[1:], theirs, "rsa"}, // the server shall say itself that it does not know the authority
		{[]tls.SignatureScheme{tls.Ed25519}, nil, "ecdsa"},
	}
	for _, test := range tests {
		c, err := s.ForClient(&tls.CertificateRequestInfo{AcceptableCAs: test.authorities, SignatureSchemes: test.schemes, Version: tls.VersionTLS13})
		if err != nil || c.Leaf.Subject.CommonName != test.want {
			t.Errorf("%v of %d authorities: %v, want %q", test.schemes, len(test.authorities), err, test.want)
		}
	}
	if _, err := certs.NewStore("").ForClient(&tls.CertificateRequestInfo{}); err == nil {
		t.Error("no certificate, and no error")
	}
}

// A server that has the store in its configuration is taken by a client that names the host.
func TestHandshakesByTheStore(t *testing.T) {
	p := newPairs(t)
	for i := range 3 {
		p.write(fmt.Sprint(i), certtest.Spec{Names: []string{fmt.Sprintf("%d.example", i)}, Intermediate: true})
	}
	clientStore := certs.NewStore("", p.write("client/pair", certtest.Spec{Names: []string{"client.example"}}))
	server := &tls.Config{
		GetCertificate: certs.NewStore(p.dir).ForServer, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: p.authority.Pool(),
		SessionTicketsDisabled: true,
	}
	for i := range 3 {
		name := fmt.Sprintf("%d.example", i)
		client := &tls.Config{ServerName: name, RootCAs: p.authority.Pool(), GetClientCertificate: clientStore.ForClient}
		if err := handshake(t, server, client); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func handshake(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	deadline := time.Now().Add(time.Minute)
	_, _ = near.SetDeadline(deadline), far.SetDeadline(deadline)
	served := make(chan error, 1)
	go func() { served <- tls.Server(far, server).Handshake() }()
	err := tls.Client(near, client).Handshake()
	if err != nil {
		_ = near.Close()
	}
	return errors.Join(err, <-served)
}

// chainOf returns the common names of the chain as it is sent.
func chainOf(t *testing.T, c *tls.Certificate) string {
	t.Helper()
	var names bytes.Buffer
	for _, der := range c.Certificate {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&names, "/%s", certificate.Subject.CommonName)
	}
	return names.String()
}
