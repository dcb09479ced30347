package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/plugins/starttls"
	"github.com/epctl/endpoint/registry"
)

// loopback is a server of TCP on a loopback address, IPv6 where there is that.
func loopback() string {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return "{tcp4:port=0:interface=127.0.0.1}"
	}
	_ = ln.Close()
	return "{tcp6:port=0:interface=[::1]}"
}

// A tryReport is what a report has, as JSON.
type tryReport struct {
	Certificate string
	Tries       []struct {
		Client             string
		TLS                *negotiated
		Verified           *verification
		Trusted            string
		ToServer, ToClient *struct{ Bytes int }
		HalfClose          bool
	}
}

// tried is the report of a try that has to succeed.
func tried(t *testing.T, s string) (report tryReport) {
	t.Helper()
	stdout, stderr, status := do(extra(endpoint.Default), "", "try", "--json", "--timeout", "1m", s)
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || status != 0 {
		t.Fatalf("%s: status %d, %v\n%s%s", s, status, err, stdout, stderr)
	}
	return report
}

// Both sides of each protocol speak with each other, over a certificate that exists for the try alone.
func TestTryOverEveryProtocol(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	inner := loopback()
	servers := []string{"tls:endpoint=" + inner, "tls:port=0:interface=127.0.0.1", "ssl:port=0:interface=127.0.0.1",
		"starttls:endpoint=" + inner + ":proto=postgres:direct=yes", "gate:{tls:endpoint=" + inner + "}:[env:P]",
		"gate:password=[env:P]:tls:port=0:interface=127.0.0.1", `gate:password=[env:P]:endpoint=tls\:port=0\:interface=127.0.0.1`}
	for _, proto := range starttls.Protocols() {
		servers = append(servers, "starttls:endpoint="+inner+":proto="+proto)
	}
	for _, s := range servers {
		t.Run(s, func(t *testing.T) {
			report := tried(t, s)
			at := report.Tries[0]
			if at.TLS == nil || at.TLS.Version != "TLS 1.3" || !at.HalfClose || at.ToClient == nil || at.ToServer == nil {
				t.Errorf("%+v", at)
			}
			if at.Verified == nil || !at.Verified.OK || at.Verified.Name != "localhost" || at.Trusted != "by the throw-away authority" {
				t.Errorf("verified %+v, trusted %q", at.Verified, at.Trusted)
			}
			if !strings.HasPrefix(report.Certificate, "none is given") {
				t.Errorf("the certificate: %q", report.Certificate)
			}
		})
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// certDir writes a certificate and its authority into files.
func certDir(t *testing.T, spec certtest.Spec) (dir string, authority *certtest.Authority) {
	t.Helper()
	authority, dir = certtest.NewAuthority(t), t.TempDir()
	cert, key := authority.Issue(spec)
	certtest.WriteFile(t, filepath.Join(dir, "cert.pem"), cert)
	certtest.WriteFile(t, filepath.Join(dir, "key.pem"), key)
	certtest.WriteFile(t, filepath.Join(dir, "full.pem"), append(cert, authority.PEM()...))
	certtest.WriteFile(t, filepath.Join(dir, "both.pem"), append(cert, key...))
	return dir, authority
}

// A server that has a certificate is verified by that: the client that is derived says how.
func TestTryVerifiesWhatAServerHas(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	named := certtest.Spec{Names: []string{"*.mail.example", "other.example"}}
	for _, test := range []struct {
		name   string
		spec   certtest.Spec
		server string // with DIR
		who    string
		how    string
	}{
		{"self-signed", certtest.Spec{Names: []string{"localhost"}, SelfSigned: true}, "certificate=[DIR/cert.pem]:privateKey=[DIR/key.pem]",
			"localhost", "by the certificate itself, which is self-signed"},
		{"with its root", named, "certificate=[DIR/full.pem]:privateKey=[DIR/key.pem]", "www.mail.example", "by the root CN="},
		{"of an authority of one's own", named, "certificate=[DIR/both.pem]", "www.mail.example", "by the certificate itself: CN="},
		{"a chain", certtest.Spec{Names: []string{"192.0.2.1"}, Intermediate: true}, "certificate=[DIR/both.pem]", "192.0.2.1", "by the certificate itself: CN="},
		{"a directory", named, "path=[DIR]", "www.mail.example", "by the certificate itself: CN="},
		{"no name", certtest.Spec{}, "certificate=[DIR/both.pem]", "", "by its key alone: the certificate is for no name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, _ := certDir(t, test.spec)
			report := tried(t, "tls:endpoint="+loopback()+":"+strings.ReplaceAll(test.server, "DIR", dir))
			at := report.Tries[0]
			if !at.Verified.OK || at.Verified.Name != test.who || !strings.HasPrefix(at.Trusted, test.how) {
				t.Errorf("%s, verified %+v, trusted %q", at.Client, at.Verified, at.Trusted)
			}
			if report.Certificate != "" || strings.Contains(at.Client, "privateKey") {
				t.Errorf("made %q, client %q", report.Certificate, at.Client)
			}
		})
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// The own name of a server counts, where its certificate is for that.
func TestTryAsksForTheServersOwnName(t *testing.T) {
	dir, _ := certDir(t, certtest.Spec{Names: []string{"a.example", "b.example"}})
	for host, want := range map[string]string{"b.example": "b.example", "c.example": "a.example"} {
		at := tried(t, "starttls:"+loopback()+":smtp:host="+host+":certificate=["+filepath.Join(dir, "both.pem")+"]").Tries[0]
		if at.Verified.Name != want {
			t.Errorf("%s: %+v", host, at.Verified)
		}
	}
}

// A server that wants certificates of its clients is shown its own, which is the only one that is there.
func TestTryOfAServerThatKnowsItsClients(t *testing.T) {
	dir, authority := certDir(t, certtest.Spec{Names: []string{"localhost"}})
	certtest.WriteFile(t, filepath.Join(dir, "ca.pem"), authority.PEM())
	server := "tls:endpoint=" + loopback() + ":certificate=[" + dir + "/cert.pem]:privateKey=[" + dir + "/key.pem]:clientAuth=require:clientCA="
	tried(t, server+"["+dir+"/ca.pem]")

	other := certtest.NewAuthority(t)
	certtest.WriteFile(t, filepath.Join(dir, "other.pem"), other.PEM())
	stdout, stderr, status := do(endpoint.Default, "", "try", "--timeout", "1m", server+"["+dir+"/other.pem]")
	if status != 1 || runtime.GOOS == "linux" && !strings.Contains(stderr, "remote error: tls: ") { // others may drop what came before a reset
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
}

// A default file that is there is the certificate, not one that is made.
func TestTryTakesTheCertificateThatTheDefaultNames(t *testing.T) {
	dir, _ := certDir(t, certtest.Spec{Names: []string{"localhost"}})
	t.Chdir(dir)
	if err := os.Rename("both.pem", "server.pem"); err != nil {
		t.Fatal(err)
	}
	report := tried(t, "ssl:port=0:interface=127.0.0.1")
	if report.Certificate != "" || !strings.Contains(report.Tries[0].Client, "caCertsDir=server.pem") {
		t.Errorf("%+v", report.Tries[0])
	}
}

func TestThrowawayCertificatesVerify(t *testing.T) {
	made, err := newThrowaway([]string{"mail.example", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(made.cert, made.key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(made.roots)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	for _, name := range made.names {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if info, err := os.Stat(made.key); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("%v, %v", info, err)
	}
	made.remove()
	if _, err := os.Stat(made.dir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
}

// What is wrong beside the certificate is told about the string as it was given.
func TestStringsThatCannotBeSuppliedStayAsTheyAre(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, s := range []string{"tls:port=x", "tls:endpoint={tcp6:prt=0}", "starttls:{tcp4:0}:http", "tcp4:x", "nonsense", "tls:port=0:path=/etc:certificate=x", "tls:{"} {
		_, stderr, status := do(endpoint.Default, "", "try", s)
		if status != 1 || !strings.Contains(stderr, s+"\n") {
			t.Errorf("%s: status %d\n%s", s, status, stderr)
		}
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestACertificateThatCannotBeMadeIsAnError(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("TMPDIR is of no meaning on Windows")
	}
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	for _, s := range []string{"tls:port=0", "ssl:port=0"} {
		if _, stderr, status := do(endpoint.Default, "", "try", s); status != 1 || !strings.Contains(stderr, "missing: ") {
			t.Errorf("%s: status %d, %s", s, status, stderr)
		}
	}
}

func TestTheClientOfATLSServer(t *testing.T) {
	dir, _ := certDir(t, certtest.Spec{Names: []string{"localhost"}})
	at := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25}
	file := filepath.Join(dir, "both.pem")
	for server, want := range map[string]string{
		"tls:port=0:certificate=[%s]:alpn=h2":                    "tls:alpn=h2:endpoint={tcp:host=192.0.2.1:port=25}:host=localhost:trustRoots=%s",
		"tls:endpoint={tcp4:0}:certificate=[%s]:minVersion=1.3":  "tls:endpoint={tcp4:host=192.0.2.1:port=25}:minVersion=1.3:host=localhost:trustRoots=%s",
		"ssl:port=0:privateKey=[%s]":                             "ssl:host=192.0.2.1:port=25:hostname=localhost:caCertsDir=%s",
		"starttls:{tcp4:0}:imap:certificate=[%s]:capabilities=A": "starttls:endpoint={tcp4:host=192.0.2.1:port=25}:proto=imap:host=localhost:trustRoots=%s",
	} {
		s := fmt.Sprintf(server, file)
		_, layer, err := endpoint.Default.Build(s, registry.RoleServer)
		if err != nil {
			t.Fatal(err)
		}
		got, err := newDeriver(endpoint.Default, s, at).client(layer)
		if err != nil || got != fmt.Sprintf(want, file) {
			t.Errorf("%s: %q, %v", server, got, err)
		}
	}
}
