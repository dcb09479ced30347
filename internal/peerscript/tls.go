package peerscript

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs/certtest"
)

// Host is the name that the certificates of a Certs are for.
const Host = "mx.test"

// Certs is what a scripted peer needs for TLS: an authority that the endpoint under test trusts, certificates of all
// kinds, good ones and others, and the files for the endpoint. All of it is valid now as well as in a testing/synctest
// bubble, where the time is the year 2000.
type Certs struct {
	Dir string // ca.pem; cert.pem and key.pem for a server

	trusted *certtest.Authority
	kinds   map[string]tls.Certificate
}

var (
	begin  = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	ended  = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	begins = time.Date(2098, 1, 1, 0, 0, 0, 0, time.UTC)
	end    = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
)

// NewCerts makes certificates, which live as long as the test.
func NewCerts(t testing.TB) *Certs {
	t.Helper()
	root := certtest.Spec{CommonName: "peerscript root", NotBefore: begin, NotAfter: end}
	c := &Certs{Dir: t.TempDir(), trusted: certtest.NewAuthorityFor(t, root), kinds: map[string]tls.Certificate{}}
	good := certtest.Spec{Names: []string{Host, "localhost", "127.0.0.1"}, NotBefore: begin, NotAfter: end}
	for kind, change := range map[string]func(*certtest.Spec){
		"ok":         func(*certtest.Spec) {},
		"expired":    func(s *certtest.Spec) { s.NotAfter = ended },
		"not-yet":    func(s *certtest.Spec) { s.NotBefore = begins },
		"other-name": func(s *certtest.Spec) { s.Names = []string{"other.test"} },
		"hostile-name": func(s *certtest.Spec) {
			s.Names = []string{"\x1b[2J\x1b]0;evil\x07.test", strings.Repeat("x", 60) + "." + strings.Repeat("long.", 100) + "test"}
		},
		"common-name": func(s *certtest.Spec) { s.Names, s.CommonName = nil, Host },
		"self-signed": func(s *certtest.Spec) { s.SelfSigned = true },
		"client-only": func(s *certtest.Spec) { s.Usage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} },
	} {
		spec := good
		change(&spec)
		c.kinds[kind] = c.trusted.NewCertificate(spec)
	}
	c.kinds["other-root"] = certtest.NewAuthorityFor(t, root).NewCertificate(good)
	certPEM, keyPEM := c.trusted.Issue(good)
	for name, data := range map[string][]byte{"ca.pem": c.trusted.PEM(), "cert.pem": certPEM, "key.pem": keyPEM} {
		if err := os.WriteFile(filepath.Join(c.Dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// An upgrade is a tls or tls-client step.
type upgrade struct {
	client bool
	kind   string
	name   string
	fails  bool
	prefix []byte
	config tls.Config
}

func parseTLS(step string, words []string) (func(*player) error, error) {
	u := &upgrade{client: step == "tls-client", kind: "ok", name: Host}
	for _, word := range words {
		if err := u.word(word); err != nil {
			return nil, err
		}
	}
	return func(p *player) error { return p.upgrade(u) }, nil
}

func (u *upgrade) word(word string) (err error) {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "fails":
		u.fails = true
	case "alpn":
		u.config.NextProtos = strings.Split(value, ",")
	case "name":
		u.name = value
	case "prefix":
		u.prefix, err = literal(value)
	case "tls1.0", "tls1.1", "tls1.2", "tls1.3":
		version := map[string]uint16{"tls1.0": tls.VersionTLS10, "tls1.1": tls.VersionTLS11, "tls1.2": tls.VersionTLS12, "tls1.3": tls.VersionTLS13}[key]
		u.config.MinVersion, u.config.MaxVersion = version, version
	case "ok", "expired", "not-yet", "other-name", "hostile-name", "common-name", "self-signed", "other-root", "client-only":
		u.kind = key
	default:
		err = fmt.Errorf("tls has no word %s", word)
	}
	return err
}

func (p *player) upgrade(u *upgrade) error {
	if p.certs == nil {
		return errors.New("this peer has no certificates")
	}
	if p.inTLS() {
		return errors.New("this is TLS already")
	}
	config := u.config.Clone()
	config.Certificates = []tls.Certificate{p.certs.kinds[u.kind]}
	config.RootCAs, config.ServerName = p.certs.trusted.Pool(), u.name
	// A ticket would come where the script wants to see what the other side does next.
	config.SessionTicketsDisabled = true
	conn := tls.Server(p.wire, config)
	if u.client {
		p.wire.prefix = u.prefix
		conn = tls.Client(p.wire, config)
	}
	err := conn.Handshake()
	if err == nil && u.fails && u.client {
		// In TLS 1.3 a client has finished before the server has judged what it sent.
		_, err = conn.Read(make([]byte, 1))
	}
	switch {
	case u.fails && err == nil:
		return errors.New("the handshake succeeded")
	case u.fails:
		p.tlsErr = err
		return nil
	case err != nil:
		p.tlsErr = err
		return err
	}
	state := conn.ConnectionState()
	p.state, p.rw = &state, conn
	return nil
}
