package tlsconn

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// A Pin is the SHA-256 of a public key, of its SubjectPublicKeyInfo as in RFC 7469 section 2.4.
type Pin [sha256.Size]byte

// PinOf returns the pin of the certificate's key.
func PinOf(c *x509.Certificate) Pin { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// UnmarshalText reads base64, padded or not, or hex, each with "sha256/" or "sha256:" before it or not; the bytes of hex
// may have colons between them.
func (p *Pin) UnmarshalText(text []byte) error {
	s := strings.TrimPrefix(strings.TrimPrefix(string(text), "sha256/"), "sha256:")
	for _, decode := range []func(string) ([]byte, error){
		func(s string) ([]byte, error) { return hex.DecodeString(strings.ReplaceAll(s, ":", "")) },
		func(s string) ([]byte, error) {
			return base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(s, "="))
		},
	} {
		if b, err := decode(s); err == nil && len(b) == len(p) {
			copy(p[:], b)
			return nil
		}
	}
	return errors.New("is no pin: 32 bytes in base64 or hex, as epctl tls shows")
}

// MarshalText is the counterpart of UnmarshalText, in base64.
func (p Pin) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String is the pin in base64.
func (p Pin) String() string { return base64.StdEncoding.EncodeToString(p[:]) }

// pinned checks that a key of the verified chains is one of pins; where nothing was verified only the server's own counts,
// since the rest of what it shows may be anybody's.
func pinned(state tls.ConnectionState, pins []Pin) error {
	chains := state.VerifiedChains
	if len(chains) == 0 && len(state.PeerCertificates) > 0 {
		chains = [][]*x509.Certificate{state.PeerCertificates[:1]}
	}
	for _, chain := range chains {
		for _, c := range chain {
			if slices.Contains(pins, PinOf(c)) {
				return nil
			}
		}
	}
	return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: errNotPinned}
}

var errNotPinned = errors.New("no key of the chain is pinned")
