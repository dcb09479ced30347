package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strconv"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/tlsconn"
)

// A certificate is the JSON form of one that a peer has shown, or that it was trusted for.
type certificate struct {
	Subject   string    `json:"subject"`
	Names     []string  `json:"names"`
	Issuer    string    `json:"issuer"`
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	DaysLeft  int       `json:"daysLeft"` // negative where it has expired
	Key       string    `json:"key"`      // kind, and curve if any
	KeyBits   int       `json:"keyBits,omitempty"`
	Signature string    `json:"signature"`
	Pin       string    `json:"pin"`  // as the parameter pin takes it
	Sent      bool      `json:"sent"` // by the peer; otherwise it is a trust root

	selfSigned, soon bool
}

func newCertificate(c *x509.Certificate, now time.Time, sent bool) certificate {
	key, bits := keyOf(c)
	days, soon := certs.ExpiresSoon(c, now)
	return certificate{
		Subject: c.Subject.String(), Names: append([]string{}, certs.Names(c)...), Issuer: c.Issuer.String(),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), DaysLeft: days,
		Key: key, KeyBits: bits, Signature: c.SignatureAlgorithm.String(), Pin: "sha256/" + tlsconn.PinOf(c).String(), Sent: sent,
		selfSigned: isSelfSigned(c), soon: soon,
	}
}

// isSelfSigned leaves out whether c may sign others.
func isSelfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// keyOf is the kind of a certificate's key, and its size in bits; 0 where that is not known.
func keyOf(c *x509.Certificate) (string, int) {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return "RSA", key.N.BitLen()
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Params().Name, key.Params().BitSize
	case ed25519.PublicKey:
		return "Ed25519", 8 * len(key)
	}
	return c.PublicKeyAlgorithm.String(), 0
}

// namesWidth is how much of the names of a certificate people are shown, in characters.
const namesWidth = 240

// text shows the certificate below a head.
func (c certificate) text(o *output, now time.Time) string {
	rows := table{indent: "  ", chops: true}
	add := func(name, text string, paint func(string) string) {
		rows.add(cell{name, o.faint}, cell{shorten(printable(text)), paint})
	}
	add("subject", orNone(c.Subject), o.strong)
	add("names", namesText(c.Names), nil)
	if c.selfSigned {
		add("issuer", "itself", nil)
	} else {
		add("issuer", orNone(c.Issuer), nil)
	}
	validity, paint := c.validity(o, now)
	add("valid", validity, paint)
	key := c.Key
	if c.KeyBits > 0 {
		key += ", " + strconv.Itoa(c.KeyBits) + " bits"
	}
	add("key", key+"; signed with "+c.Signature, nil)
	add("pin", c.Pin, nil)
	return rows.text(o.width)
}

func (c certificate) validity(o *output, now time.Time) (string, func(string) string) {
	span := "from " + dayText(c.NotBefore) + " until " + dayText(c.NotAfter) + ": "
	switch {
	case now.Before(c.NotBefore):
		return span + "not yet", o.bad
	case c.DaysLeft < 0:
		return span + "expired", o.bad
	case c.soon:
		return span + daysText(c.DaysLeft) + " left", o.warning
	}
	return span + daysText(c.DaysLeft) + " left", nil
}

func daysText(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}

func dayText(t time.Time) string { return t.Format("2006-01-02 15:04 UTC") }

func orNone(name string) string {
	if name == "" {
		return "-"
	}
	return name
}

func namesText(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	text := ""
	for i, name := range names {
		if i > 0 && len(text)+len(name) > namesWidth {
			return text + fmt.Sprintf(" and %d more", len(names)-i)
		}
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return text
}
