package certs_test

import (
	"crypto"
	"crypto/tls"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/certs/certtest"
)

// write puts the parts into a file and makes it look old, so that its stamp is trusted.
func write(t *testing.T, path string, parts ...[]byte) {
	t.Helper()
	var data []byte
	for _, part := range parts {
		data = append(data, part...)
	}
	certtest.WriteFile(t, path, data)
	age(t, path, time.Hour)
}

func age(t *testing.T, path string, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t *testing.T, s *certs.Store) []*tls.Certificate {
	t.Helper()
	loaded, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range loaded {
		if c.Leaf == nil || string(c.Leaf.Raw) != string(c.Certificate[0]) {
			t.Fatalf("Leaf is not the leaf: %v", c.Leaf)
		}
	}
	return loaded
}

func commonNames(loaded []*tls.Certificate) string {
	var names []string
	for _, c := range loaded {
		names = append(names, c.Leaf.Subject.CommonName)
	}
	return strings.Join(names, " ")
}

func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error lacks %q: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %v", err)
	}
}

func TestKeysOfAllForms(t *testing.T) {
	authority := certtest.NewAuthority(t)
	tests := map[string]certtest.Spec{
		"PKCS 8 of ECDSA":   {},
		"PKCS 8 of RSA":     {Key: certtest.RSA},
		"PKCS 8 of Ed25519": {Key: certtest.Ed25519},
		"PKCS 1":            {Key: certtest.RSA, Format: certtest.PKCS1},
		"SEC 1 of P-256":    {Format: certtest.SEC1},
		"SEC 1 of P-384":    {Key: certtest.P384, Format: certtest.SEC1},
	}
	for name, spec := range tests {
		t.Run(name, func(t *testing.T) {
			spec.Names = []string{"a.example"}
			certPEM, keyPEM := authority.Issue(spec)
			dir := t.TempDir()
			cert, key, both := filepath.Join(dir, "cert"), filepath.Join(dir, "key"), filepath.Join(dir, "both")
			write(t, cert, certPEM)
			write(t, key, keyPEM)
			write(t, both, []byte("Bag Attributes\r\n  friendlyName: x\r\n"), keyPEM, []byte("and\n"), certPEM)
			for _, files := range []certs.Files{
				{Certificate: cert, PrivateKey: key}, {Certificate: both}, {Certificate: both, PrivateKey: both},
			} {
				loaded := mustLoad(t, certs.NewStore("", files))
				if len(loaded) != 1 || !loaded[0].Leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(loaded[0].PrivateKey.(crypto.Signer).Public()) {
					t.Errorf("%+v: key and certificate do not match", files)
				}
			}
		})
	}
}

func TestChains(t *testing.T) {
	root := certtest.NewAuthority(t)
	lower := root.NewIntermediate("upper").NewIntermediate("lower")
	certPEM, keyPEM := lower.Issue(certtest.Spec{Names: []string{"a.example"}})
	leafOnly, otherKey := lower.Issue(certtest.Spec{Names: []string{"b.example"}, LeafOnly: true})
	dir := t.TempDir()
	file := func(name string, parts ...[]byte) string {
		path := filepath.Join(dir, name)
		write(t, path, parts...)
		return path
	}
	full, key := file("full", certPEM), file("key", keyPEM)
	short, shortKey := file("short", leafOnly), file("shortkey", otherKey)
	intermediates := file("chain", lower.PEM(), []byte("# the one above\n"), lower.PEM())
	tests := map[string]struct {
		files  certs.Files
		length int
	}{
		"in the certificate's file": {certs.Files{Certificate: full, PrivateKey: key}, 3},
		"none":                      {certs.Files{Certificate: short, PrivateKey: shortKey}, 1},
		"in a file of its own":      {certs.Files{Certificate: short, PrivateKey: shortKey, Chain: intermediates}, 2},
		"in both, each once":        {certs.Files{Certificate: full, PrivateKey: key, Chain: intermediates}, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if n := len(mustLoad(t, certs.NewStore("", test.files))[0].Certificate); n != test.length {
				t.Errorf("the chain has %d certificates, want %d", n, test.length)
			}
		})
	}
}

func TestWhatIsWrongWithFiles(t *testing.T) {
	authority := certtest.NewAuthority(t)
	certPEM, keyPEM := authority.Issue(certtest.Spec{Names: []string{"a.example"}})
	otherCert, otherKey := authority.Issue(certtest.Spec{Names: []string{"b.example"}})
	encrypted := []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	legacy := []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n")
	openssh := []byte("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
	garbled := []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	leaf := authority.NewCertificate(certtest.Spec{Names: []string{"c.example"}}).Leaf

	dir := t.TempDir()
	tests := map[string]struct {
		cert, key, chain []byte // nil: no such file
		which            string
		words            []string
	}{
		"no certificate file":       {nil, keyPEM, nil, "certificate", []string{"cert", "does not exist"}},
		"no key file":               {certPEM, nil, nil, "privateKey", []string{"key", "does not exist"}},
		"empty":                     {[]byte(" \n"), keyPEM, nil, "certificate", []string{"cert", "is empty"}},
		"no PEM":                    {[]byte("hello\n"), keyPEM, nil, "certificate", []string{"cert", "not a PEM file"}},
		"UTF-16":                    {[]byte("\xff\xfe-\x00-\x00"), keyPEM, nil, "certificate", []string{"UTF-16"}},
		"DER":                       {leaf.Raw, keyPEM, nil, "certificate", []string{"DER", "openssl x509 -inform DER"}},
		"too large":                 {make([]byte, 1<<20+1), keyPEM, nil, "certificate", []string{"larger than 1048576 bytes"}},
		"key only":                  {keyPEM, keyPEM, nil, "certificate", []string{"cert", "has no certificate"}},
		"certificate only":          {certPEM, certPEM, nil, "privateKey", []string{"key", "has no private key"}},
		"cut off":                   {certPEM[:len(certPEM)-40], keyPEM, nil, "certificate", []string{"line 1", "is broken"}},
		"cut off in the chain":      {append(certPEM[:len(certPEM):len(certPEM)], otherCert[:99]...), keyPEM, nil, "certificate", []string{"line 1", "is broken"}},
		"key cut off":               {certPEM, keyPEM[:len(keyPEM)-40], nil, "privateKey", []string{"key", "is broken"}},
		"garbled certificate":       {garbled, keyPEM, nil, "certificate", []string{"not a certificate"}},
		"key of another":            {certPEM, otherKey, nil, "privateKey", []string{"does not match", "CN=a.example", "openssl pkey"}},
		"wrong order":               {append(otherCert[:len(otherCert):len(otherCert)], certPEM...), keyPEM, nil, "certificate", []string{"number 2", "put it first"}},
		"encrypted key":             {certPEM, encrypted, nil, "privateKey", []string{"encrypted", "openssl pkey -in"}},
		"encrypted key of old":      {certPEM, legacy, nil, "privateKey", []string{"encrypted", "openssl pkey -in"}},
		"key of OpenSSH":            {certPEM, openssh, nil, "privateKey", []string{"ssh-keygen"}},
		"chain without certificate": {certPEM, keyPEM, keyPEM, "chain", []string{"chain", "has no certificate"}},
		"chain cut off":             {certPEM, keyPEM, otherCert[:99], "chain", []string{"chain", "is broken"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			here := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			if err := os.Mkdir(here, 0o700); err != nil {
				t.Fatal(err)
			}
			files := certs.Files{Certificate: filepath.Join(here, "cert"), PrivateKey: filepath.Join(here, "key")}
			for path, data := range map[string][]byte{files.Certificate: test.cert, files.PrivateKey: test.key} {
				if data != nil {
					write(t, path, data)
				}
			}
			if test.chain != nil {
				files.Chain = filepath.Join(here, "chain")
				write(t, files.Chain, test.chain)
			}
			loaded, err := certs.NewStore("", files).Load()
			if len(loaded) > 0 {
				t.Errorf("there are %d certificates", len(loaded))
			}
			refused(t, err, test.words...)
			var fileError *certs.FileError
			if !errors.As(err, &fileError) || fileError.Which != test.which {
				t.Errorf("the fault is in %+v, want %s", fileError, test.which)
			}
			if secret := strings.Split(string(test.key), "\n"); len(secret) > 2 && strings.Contains(err.Error(), secret[1]) {
				t.Error("the error has key material in it")
			}
		})
	}
}

func TestErrorsAreWhatTheSystemSaid(t *testing.T) {
	_, err := certs.NewStore("", certs.Files{Certificate: filepath.Join(t.TempDir(), "none.pem")}).Load()
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
	_, err = certs.NewStore("").Load()
	refused(t, err, "no certificate is named")
}

func TestLoadReadsAgainWhatHasChanged(t *testing.T) {
	authority := certtest.NewAuthority(t)
	certFile, keyFile, _ := authority.WritePair(certtest.Spec{Names: []string{"old.example"}})
	age(t, certFile, time.Hour)
	age(t, keyFile, time.Hour)
	s := certs.NewStore("", certs.Files{Certificate: certFile, PrivateKey: keyFile})
	first := mustLoad(t, s)
	if again := mustLoad(t, s); again[0] != first[0] {
		t.Error("what has not changed is another certificate")
	}

	certPEM, keyPEM := authority.Issue(certtest.Spec{Names: []string{"new.example"}})
	certtest.WriteFile(t, certFile, certPEM)
	loaded, err := s.Load()
	refused(t, err, "does not match")
	if commonNames(loaded) != "old.example" {
		t.Errorf("half of a new pair replaces the old one by %q", commonNames(loaded))
	}
	certtest.WriteFile(t, keyFile, keyPEM)
	if got := commonNames(mustLoad(t, s)); got != "new.example" {
		t.Errorf("the new pair is %q", got)
	}

	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		loaded, err = s.Load()
		refused(t, err, "does not exist")
		if commonNames(loaded) != "new.example" {
			t.Errorf("without the file there is %q", commonNames(loaded))
		}
	}
	certtest.WriteFile(t, certFile, certPEM)
	if got := commonNames(mustLoad(t, s)); got != "new.example" {
		t.Errorf("the file is back, and there is %q", got)
	}
}

// A file that is written twice within the resolution of its times, at the same length, is read both times.
func TestAFreshFileIsReadAgain(t *testing.T) {
	authority := certtest.NewAuthority(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "pair.pem")
	s := certs.NewStore("", certs.Files{Certificate: file})
	now := time.Now()
	for _, name := range []string{"one.example", "two.example"} {
		certPEM, keyPEM := authority.Issue(certtest.Spec{Names: []string{name}})
		data := append(certPEM, keyPEM...)
		data = append(data, strings.Repeat("#", 4096-len(data))...)
		certtest.WriteFile(t, file, data)
		if err := os.Chtimes(file, now, now); err != nil {
			t.Fatal(err)
		}
		if got := commonNames(mustLoad(t, s)); got != name {
			t.Errorf("there is %q, want %q", got, name)
		}
	}
}

func TestOneBrokenPairDoesNotSpoilTheOther(t *testing.T) {
	certFile, keyFile, _ := certtest.WritePair(t, "a.example")
	s := certs.NewStore("", certs.Files{Certificate: keyFile}, certs.Files{Certificate: certFile, PrivateKey: keyFile})
	loaded, err := s.Load()
	refused(t, err, "has no certificate")
	if commonNames(loaded) != "a.example" {
		t.Errorf("there is %q", commonNames(loaded))
	}
	if c, err := s.ForServer(&tls.ClientHelloInfo{}); err != nil || c != loaded[0] {
		t.Errorf("ForServer: %v, %v", c, err)
	}
}
