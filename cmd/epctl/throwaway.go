package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// A throwaway is an authority and a certificate that exist for one try, in a directory of their own.
type throwaway struct {
	dir   string
	names []string // the first one is the server's
	cert  string   // files
	key   string
	roots string
}

// throwawayLife is long enough for nothing to warn of the end.
const throwawayLife = 60 * 24 * time.Hour

// newThrowaway makes the files. Remove takes them away again.
func newThrowaway(names []string) (*throwaway, error) {
	dir, err := os.MkdirTemp("", "epctl-try-")
	if err != nil {
		return nil, err
	}
	t := &throwaway{
		dir: dir, names: names,
		cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), roots: filepath.Join(dir, "roots.pem"),
	}
	if err := t.write(); err != nil {
		t.remove()
		return nil, err
	}
	return t, nil
}

func (t *throwaway) remove() {
	if t != nil {
		_ = os.RemoveAll(t.dir)
	}
}

func (t *throwaway) write() error {
	root, rootKey, err := issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "epctl throw-away authority"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "epctl throw-away certificate"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range t.names {
		if addr, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = append(template.IPAddresses, net.IP(addr.AsSlice()))
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	leaf, leafKey, err := issue(template, root, rootKey)
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return err
	}
	for path, block := range map[string]*pem.Block{
		t.roots: {Type: "CERTIFICATE", Bytes: root.Raw}, t.cert: {Type: "CERTIFICATE", Bytes: leaf.Raw}, t.key: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// issue makes a key and signs its certificate by parent, or by itself where that is nil.
func issue(template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, err
	}
	template.BasicConstraintsValid = true
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(throwawayLife)
	if parent == nil {
		parent, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return certificate, key, err
}
