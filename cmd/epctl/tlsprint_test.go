package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/trace"
)

// hostile is a certificate whose texts are meant for the terminal.
func hostile(t *testing.T) *x509.Certificate {
	t.Helper()
	names := []string{strings.Repeat("a", 60) + "." + strings.Repeat("b", 60) + ".example"}
	for i := range 200 {
		names = append(names, fmt.Sprintf("host-%d.very-long-name.example", i))
	}
	spec := certtest.Spec{Names: names, CommonName: "\x1b]0;owned\a\r\n\u202e" + strings.Repeat("x", 200)}
	return certtest.NewAuthority(t).NewCertificate(spec).Leaf
}

// PA-12: what a peer says is escaped, bounded and broken to the width.
func TestCertificatesAreShownSafely(t *testing.T) {
	leaf, now := hostile(t), time.Now()
	for _, width := range []int{40, 80, 120} {
		text := newCertificate(leaf, now, true).text(&output{file: io.Discard, width: width}, now)
		for line := range strings.Lines(text) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > width {
				t.Errorf("%d of %d columns: %s", n, width, line)
			}
		}
		if strings.ContainsAny(text, "\x1b\a\r\u202e") || !strings.Contains(text, `\x1b]0`) || strings.Count(text, "\n") > 40 {
			t.Errorf("%d columns:\n%q", width, text)
		}
	}
}

func TestCertificatesTellTheirKindAndTime(t *testing.T) {
	now := time.Now()
	o := &output{file: io.Discard, width: 100}
	for _, test := range []struct {
		spec certtest.Spec
		want []string
	}{
		{certtest.Spec{Names: []string{"a.example"}, Key: certtest.P384}, []string{"key      ECDSA P-384, 384 bits", "names    a.example"}},
		{certtest.Spec{Key: certtest.Ed25519, SelfSigned: true, CommonName: "me"}, []string{"key      Ed25519, 256 bits", "names    none", "issuer   itself", "subject  CN=me"}},
		{certtest.Spec{Key: certtest.RSA}, []string{"key      RSA, 2048 bits"}},
		{certtest.Spec{NotAfter: now.Add(-time.Hour)}, []string{": expired"}},
		{certtest.Spec{NotBefore: now.Add(time.Hour)}, []string{": not yet"}},
		{certtest.Spec{NotAfter: now.Add(25 * time.Hour)}, []string{": 1 day left"}},
		{certtest.Spec{NotAfter: now.Add(49 * time.Hour)}, []string{": 2 days left"}},
	} {
		text := newCertificate(certtest.NewAuthority(t).NewCertificate(test.spec).Leaf, now, true).text(o, now)
		for _, want := range test.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
	}
}

// distrusting is a race in which every address showed a certificate that was not accepted; the later one failed first.
func distrusting(t *testing.T) ([]trace.Event, *x509.Certificate, *x509.Certificate) {
	a := certtest.NewAuthority(t)
	first := a.NewCertificate(certtest.Spec{Names: []string{"first.example"}}).Leaf
	second := a.NewCertificate(certtest.Spec{Names: []string{"second.example"}}).Leaf
	refused := func(c *x509.Certificate) error {
		return fmt.Errorf("wrapped: %w", &tls.CertificateVerificationError{UnverifiedCertificates: []*x509.Certificate{c}, Err: errors.New("unknown")})
	}
	at := func(port int) net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }
	now := time.Now()
	return []trace.Event{
		{Kind: trace.AttemptStart, Time: now, ID: 1, Remote: at(1)},
		{Kind: trace.AttemptStart, Time: now, ID: 2, Remote: at(2)},
		{Kind: trace.AttemptDone, Time: now, ID: 1, Local: at(11)},
		{Kind: trace.HandshakeStart, Time: now, ID: 3, Detail: "TLS", Remote: at(1)},
		{Kind: trace.AttemptDone, Time: now, ID: 2, Local: at(12)},
		{Kind: trace.HandshakeStart, Time: now, ID: 4, Detail: "TLS", Remote: at(2)},
		{Kind: trace.HandshakeDone, Time: now, ID: 4, Detail: "TLS", Local: at(12), Err: refused(second), Elapsed: 1},
		{Kind: trace.HandshakeDone, Time: now, ID: 3, Detail: "TLS", Local: at(11), Err: refused(first), Elapsed: 2},
	}, first, second
}

func TestOfSeveralDistrustedCertificatesTheFirstIsTold(t *testing.T) {
	events, first, _ := distrusting(t)
	r := &tlsReport{trust: trust{name: "x.example"}}
	r.failed(events, errors.New("all failed"))
	r.stages(events)
	if len(r.Chain) != 1 || r.Chain[0].Names[0] != first.DNSNames[0] || r.Remote != "127.0.0.1:1" || r.Local != "127.0.0.1:11" {
		t.Errorf("%+v", r)
	}
	if r.Verified.OK || r.Verified.Reason != "unknown" || !slices.Equal(r.others, []string{"127.0.0.1:2"}) {
		t.Errorf("%+v, %v", r.Verified, r.others)
	}
	var stages []string
	for _, s := range r.Stages {
		stages = append(stages, s.Stage)
	}
	if !slices.Equal(stages, []string{"connect", "TLS"}) {
		t.Errorf("%v", stages)
	}
}

// A layer that tells no tracer has its certificates in the error alone.
func TestDistrustIsFoundInTheErrorToo(t *testing.T) {
	events, first, _ := distrusting(t)
	r := &tlsReport{}
	r.failed(nil, events[7].Err)
	if len(r.Chain) != 1 || r.Chain[0].Names[0] != first.DNSNames[0] {
		t.Errorf("%+v", r.Chain)
	}
	r = new(tlsReport)
	if r.failed(nil, io.EOF); r.Verified != nil {
		t.Errorf("%+v", r.Verified)
	}
}

// What a server of TLS 1.3 thinks of a client's certificate comes behind the handshake.
func TestARefusalBehindTheHandshakeIsTold(t *testing.T) {
	dir, _ := certDir(t, certtest.Spec{Names: []string{"localhost"}})
	server, err := endpoint.Default.NewServer(fmt.Sprintf("tls:port=0:interface=127.0.0.1:certificate=[%s/both.pem]:clientAuth=require:clientCA=[%s/full.pem]", dir, dir))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := server.Listen(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := endpoint.Default.NewClient(fmt.Sprintf("tls:endpoint={tcp4:127.0.0.1:%d}:host=localhost:trustRoots=[%s/both.pem]", ln.Addr().(*net.TCPAddr).Port, dir))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := refused(conn, patience); err == nil || !strings.HasPrefix(err.Error(), "remote error: tls: ") {
		t.Errorf("the error is %v", err)
	}
}
