package certtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"testing"
)

// KeyType is a kind of private key.
type KeyType int

// The kinds of private keys. RSA takes about a tenth of a second to make, the others next to nothing.
const (
	ECDSA   KeyType = iota // on P-256
	P384                   // ECDSA on P-384
	Ed25519                //
	RSA                    // 2048 bits
	WeakRSA                // 1024 bits
)

// KeyFormat is a way to write a private key.
type KeyFormat int

// The ways to write a private key.
const (
	PKCS8 KeyFormat = iota // PRIVATE KEY, RFC 5958: any kind
	PKCS1                  // RSA PRIVATE KEY, RFC 8017: RSA only
	SEC1                   // EC PARAMETERS and EC PRIVATE KEY, RFC 5915, as openssl ecparam -genkey writes it: ECDSA only
)

// p256Parameters is the OBJECT IDENTIFIER prime256v1 in DER; openssl writes the curve before the key.
const p256Parameters = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"

// KeyPEM returns key in PEM.
func KeyPEM(tb testing.TB, key crypto.Signer, format KeyFormat) []byte {
	tb.Helper()
	out, err := encodeKey(key, format)
	if err != nil {
		tb.Fatalf("certtest: %v", err)
	}
	return out
}

// WriteFile writes data into a file with mode 0600.
func WriteFile(tb testing.TB, path string, data []byte) {
	tb.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatalf("certtest: %v", err)
	}
}

func encodeKey(key crypto.Signer, format KeyFormat) ([]byte, error) {
	switch format {
	case PKCS1:
		k, ok := key.(*rsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("PKCS #1 has no place for %T", key)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}), nil
	case SEC1:
		return encodeSEC1(key)
	default:
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
	}
}

func encodeSEC1(key crypto.Signer) ([]byte, error) {
	k, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("SEC 1 has no place for %T", key)
	}
	der, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		return nil, err
	}
	var out []byte
	if k.Curve == elliptic.P256() {
		out = pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte(p256Parameters)})
	}
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})...), nil
}

func (s Spec) key(tb testing.TB) crypto.Signer {
	tb.Helper()
	if s.Signer != nil {
		return s.Signer
	}
	key, err := generate(s.Key)
	if err != nil {
		tb.Fatalf("certtest: making a key: %v", err)
	}
	return key
}

func generate(kind KeyType) (crypto.Signer, error) {
	switch kind {
	case P384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case RSA:
		return rsa.GenerateKey(rand.Reader, 2048)
	case WeakRSA:
		return rsa.GenerateKey(rand.Reader, 1024)
	default:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
}

// CertificatePEM returns certificates, each in DER, in PEM.
func CertificatePEM(ders ...[]byte) []byte {
	var out []byte
	for _, der := range ders {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return out
}
