// Package certtest makes throw-away certificate authorities and certificates for tests: of any names, validity, key
// type and chain, as values and as PEM files.
package certtest

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"
)

// A Spec says what a certificate is to be. The zero Spec is a certificate for no name, signed with an ECDSA key on
// P-256, valid from an hour ago for 90 days, for servers and clients.
type Spec struct {
	Names      []string // DNS names, also with a wildcard, and IP addresses
	CommonName string   // of the subject; default the first name, else "certtest"

	NotBefore time.Time // default one hour ago
	NotAfter  time.Time // default 90 days from now; with only NotBefore set, 90 days after that

	Key    KeyType       // kind of the private key, which is made
	Signer crypto.Signer // the private key itself, instead
	Format KeyFormat     // how the private key is written

	Intermediate bool // signed by an intermediate authority made for it, which follows the leaf in the PEM
	LeafOnly     bool // the PEM has no intermediates even where the chain needs them
	SelfSigned   bool // signed by its own key instead of the authority

	Usage []x509.ExtKeyUsage // default server and client authentication
}

// An Authority signs certificates. It may be used by several goroutines.
type Authority struct {
	Certificate *x509.Certificate
	Key         crypto.Signer

	tb     testing.TB
	issuer *Authority // nil: self-signed
}

// NewAuthority makes a root authority with an ECDSA key, valid from a day ago for ten years.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	now := time.Now()
	return NewAuthorityFor(tb, Spec{CommonName: "certtest root", NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(10, 0, 0)})
}

// NewAuthorityFor makes a root authority of the subject, validity and key of spec, for instance one that has expired.
func NewAuthorityFor(tb testing.TB, spec Spec) *Authority {
	tb.Helper()
	a := &Authority{Key: spec.key(tb), tb: tb}
	template := spec.template()
	template.IsCA, template.ExtKeyUsage = true, nil
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	a.Certificate = sign(tb, template, template, a.Key, a.Key)
	return a
}

// NewIntermediate makes an authority that a has signed, of the given common name.
func (a *Authority) NewIntermediate(commonName string) *Authority {
	a.tb.Helper()
	i := &Authority{Key: Spec{}.key(a.tb), tb: a.tb, issuer: a}
	template := Spec{CommonName: commonName, NotBefore: a.Certificate.NotBefore, NotAfter: a.Certificate.NotAfter}.template()
	template.IsCA, template.ExtKeyUsage = true, nil
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	i.Certificate = sign(a.tb, template, a.Certificate, i.Key, a.Key)
	return i
}

// Issue makes a certificate and its key. CertPEM has the leaf first, then the intermediates up to but without the
// root.
func (a *Authority) Issue(spec Spec) (certPEM, keyPEM []byte) {
	a.tb.Helper()
	c := a.NewCertificate(spec)
	return CertificatePEM(c.Certificate...), KeyPEM(a.tb, c.PrivateKey.(crypto.Signer), spec.Format)
}

// NewCertificate makes a certificate as crypto/tls takes it: the leaf, the intermediates, the key, and Leaf set.
func (a *Authority) NewCertificate(spec Spec) tls.Certificate {
	a.tb.Helper()
	signer := a
	if spec.Intermediate {
		signer = a.NewIntermediate("certtest intermediate")
	}
	key := spec.key(a.tb)
	template := spec.template()
	if spec.SelfSigned {
		leaf := sign(a.tb, template, template, key, key)
		return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	}
	leaf := sign(a.tb, template, signer.Certificate, key, signer.Key)
	c := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for i := signer; i.issuer != nil && !spec.LeafOnly; i = i.issuer {
		c.Certificate = append(c.Certificate, i.Certificate.Raw)
	}
	return c
}

// PEM returns the authority's own certificate: the trust root of what it issues.
func (a *Authority) PEM() []byte { return CertificatePEM(a.Certificate.Raw) }

// Pool returns a new pool that has only the authority's own certificate.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate)
	return pool
}

// WritePair issues a certificate and writes it, its key (mode 0600) and the authority's own certificate into files of
// a directory of their own, which the test removes.
func (a *Authority) WritePair(spec Spec) (certFile, keyFile, caFile string) {
	a.tb.Helper()
	dir := a.tb.TempDir()
	certFile, keyFile, caFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "ca.pem")
	certPEM, keyPEM := a.Issue(spec)
	WriteFile(a.tb, certFile, certPEM)
	WriteFile(a.tb, keyFile, keyPEM)
	WriteFile(a.tb, caFile, a.PEM())
	return certFile, keyFile, caFile
}

// WritePair makes an authority and writes what it issues for names (DNS names and IP addresses) into files, see
// [Authority.WritePair].
func WritePair(tb testing.TB, names ...string) (certFile, keyFile, caFile string) {
	tb.Helper()
	return NewAuthority(tb).WritePair(Spec{Names: names})
}

func (s Spec) template() *x509.Certificate {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: s.commonName()},
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           s.Usage,
		BasicConstraintsValid: true,
	}
	if len(s.Usage) == 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	template.NotBefore, template.NotAfter = s.validity()
	for _, name := range s.Names {
		if addr, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = append(template.IPAddresses, net.IP(addr.AsSlice()))
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	return template
}

func (s Spec) commonName() string {
	switch {
	case s.CommonName != "":
		return s.CommonName
	case len(s.Names) > 0:
		return s.Names[0]
	default:
		return "certtest"
	}
}

func (s Spec) validity() (from, to time.Time) {
	from, to = s.NotBefore, s.NotAfter
	switch {
	case to.IsZero() && from.IsZero():
		to = time.Now().AddDate(0, 0, 90)
	case to.IsZero():
		to = from.AddDate(0, 0, 90)
	}
	if from.IsZero() {
		// A certificate that is to have expired must still begin before it ends.
		from = time.Now().Add(-time.Hour)
		if !to.After(from) {
			from = to.AddDate(0, 0, -90)
		}
	}
	return from, to
}

func sign(tb testing.TB, template, parent *x509.Certificate, key, signer crypto.Signer) *x509.Certificate {
	tb.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		tb.Fatalf("certtest: %v", err)
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		tb.Fatalf("certtest: signing the certificate of %q: %v", template.Subject.CommonName, err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatalf("certtest: reading the certificate of %q back: %v", template.Subject.CommonName, err)
	}
	return c
}
