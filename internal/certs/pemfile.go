package certs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// contents is what a PEM file holds. It is not changed after it was parsed.
type contents struct {
	certificates []*x509.Certificate
	keys         []crypto.Signer
	others       []string // types of the blocks that are neither, such as "DH PARAMETERS"

	foreign           error   // it is not a PEM file at all
	certificateFaults []error // certificates that are broken or can't be used
	keyFaults         []error // the same of private keys
}

// faults returns all that is wrong with the file.
func (c *contents) faults() []error {
	if c.foreign != nil {
		return []error{c.foreign}
	}
	return slices.Concat(c.certificateFaults, c.keyFaults)
}

const (
	beginLine = "-----BEGIN "
	byteOrder = "\xef\xbb\xbf" // Notepad's mark of UTF-8
)

// parsePEM reads all blocks of a PEM file (RFC 7468, with text around the blocks as OpenSSL allows). Each block is cut
// out and decoded alone: pem.Decode passes over a broken block without a word, and a chain that lost a certificate
// fails only at the peers.
func parsePEM(data []byte) *contents {
	c := &contents{}
	data = bytes.TrimPrefix(data, []byte(byteOrder))
	if c.foreign = notPEM(data); c.foreign != nil {
		return c
	}
	line, end := 1, nextBegin(data, 0)
	for end < len(data) {
		line += bytes.Count(data[:end], []byte("\n"))
		data = data[end:]
		end = nextBegin(data, len(beginLine))
		c.add(data[:end], line)
	}
	return c
}

// nextBegin returns where the next line at or after from that begins a block starts, or len(data).
func nextBegin(data []byte, from int) int {
	for {
		i := bytes.Index(data[from:], []byte(beginLine))
		if i < 0 {
			return len(data)
		}
		if i += from; i == 0 || data[i-1] == '\n' {
			return i
		}
		from = i + len(beginLine)
	}
}

// notPEM recognises the files that people take for PEM.
func notPEM(data []byte) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("is empty: write certificates or keys in PEM into it")
	case nextBegin(data, 0) < len(data):
		return nil
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return errors.New("is UTF-16 text: save it as ASCII or UTF-8")
	case isDER(data):
		return errors.New("is DER or PKCS #12, not PEM: convert it with openssl x509 -inform DER -in OLD -out NEW, or openssl pkcs12 -in OLD -nodes -out NEW")
	default:
		return errors.New("has no line that begins with -----BEGIN: it is not a PEM file")
	}
}

func isDER(data []byte) bool {
	var raw asn1.RawValue
	_, err := asn1.Unmarshal(data, &raw)
	return err == nil && raw.Tag == asn1.TagSequence && raw.IsCompound
}

func (c *contents) add(text []byte, line int) {
	block, _ := pem.Decode(text)
	kind := ""
	if block != nil {
		kind = block.Type
	} else if name, _, ok := strings.Cut(string(text[len(beginLine):min(len(text), 80)]), "-----"); ok {
		kind = name
	}
	switch {
	case strings.HasSuffix(kind, "PRIVATE KEY"):
		c.keyFaults = note(c.keyFaults, c.addKey(block), line)
	case block == nil, strings.HasSuffix(kind, "CERTIFICATE"):
		c.certificateFaults = note(c.certificateFaults, c.addCertificate(block), line)
	case kind == "EC PARAMETERS", len(c.others) >= maxFaults:
		// openssl writes the parameters of a curve before a key.
	default:
		c.others = append(c.others, printable(kind))
	}
}

// maxFaults is how many things of one kind are told of a file.
const maxFaults = 8

func note(faults []error, err error, line int) []error {
	if err == nil || len(faults) >= maxFaults {
		return faults
	}
	return append(faults, fmt.Errorf("has a block in line %d that %w", line, err))
}

var errBrokenBlock = errors.New("is broken: its END line is missing or does not match, or its lines are not base64; copy the file again")

func (c *contents) addCertificate(block *pem.Block) error {
	switch {
	case block == nil:
		return errBrokenBlock
	case block.Type == "TRUSTED CERTIFICATE":
		return errors.New("is a certificate in OpenSSL's own trusted form: write it as a plain one by openssl x509 -in OLD -out NEW")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("is not a certificate that can be used: %w", err)
	}
	c.certificates = append(c.certificates, certificate)
	return nil
}

func (c *contents) addKey(block *pem.Block) error {
	switch {
	case block == nil:
		return errBrokenBlock
	case block.Type == "ENCRYPTED PRIVATE KEY", strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return ErrEncrypted
	case block.Type == "OPENSSH PRIVATE KEY":
		return errors.New("is a private key in OpenSSH's form: convert a copy of it with ssh-keygen -p -m PKCS8 -f COPY")
	}
	key, err := parseKey(block.Bytes)
	if err != nil {
		return err
	}
	c.keys = append(c.keys, key)
	return nil
}

// ErrEncrypted is why a private key that is protected by a passphrase can't be used.
var ErrEncrypted = errors.New("is an encrypted private key, and there is nobody to ask for the passphrase: " +
	"write it without one by openssl pkey -in OLD -out NEW, and let nobody but the server read NEW")

// parseKey takes the three forms whatever the block's type says: some tools put PKCS #8 under the old names. What the
// parsers say of a form that it is not is not worth telling.
func parseKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("is not a private key that can be used: it is neither RSA, ECDSA on P-256, P-384 or P-521, nor Ed25519, or it is damaged")
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case *ecdsa.PrivateKey:
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	default:
		return nil, errors.New("is a private key that can't sign: make one of RSA, ECDSA or Ed25519")
	}
}

// matches reports whether key is the private half of the key that certificate is for.
func matches(certificate *x509.Certificate, key crypto.Signer) bool {
	public, ok := certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(key.Public())
}
