package certs

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	soon = 14 * day
)

// ExpiresSoon reports whether less than 14 days are left of c at now, and how many whole days: 0 on its last day,
// negative where it has expired, which counts as soon.
func ExpiresSoon(c *x509.Certificate, now time.Time) (days int, isSoon bool) {
	left := c.NotAfter.Sub(now)
	days = int(left / day)
	if left < 0 {
		days--
	}
	return days, left < soon
}

// Describe tells in one line whose certificate c is, for which names, who issued it, with what key, and how many days
// are left at now.
func Describe(c *x509.Certificate, now time.Time) string {
	parts := []string{subject(c)}
	if names := Names(c); len(names) > 0 {
		parts = append(parts, "for "+printable(strings.Join(names, ", ")))
	}
	if isSelfSigned(c) {
		parts = append(parts, "self-signed")
	} else {
		parts = append(parts, "issued by "+name(c.Issuer.String(), "an authority without a name"))
	}
	parts = append(parts, keyKind(c), validity(c, now))
	if usage := usage(c); usage != "" {
		parts = append(parts, usage)
	}
	return strings.Join(parts, ", ")
}

// usage tells for which side alone a certificate is (RFC 5280 section 4.2.1.12), "" where it is for both.
func usage(c *x509.Certificate) string {
	has := func(u x509.ExtKeyUsage) bool { return slices.Contains(c.ExtKeyUsage, u) }
	switch server, client := has(x509.ExtKeyUsageServerAuth), has(x509.ExtKeyUsageClientAuth); {
	case server == client || has(x509.ExtKeyUsageAny):
		return ""
	case server:
		return "for servers only"
	default:
		return "for clients only"
	}
}

// Names returns the DNS names and IP addresses that c is for.
func Names(c *x509.Certificate) []string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

func validity(c *x509.Certificate, now time.Time) string {
	days, _ := ExpiresSoon(c, now)
	switch {
	case now.Before(c.NotBefore):
		return "valid from " + date(c.NotBefore)
	case days < 0:
		return "expired on " + date(c.NotAfter)
	default:
		return fmt.Sprintf("%s left (until %s)", count(days, "day"), date(c.NotAfter))
	}
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// subject is what a certificate is called in messages.
func subject(c *x509.Certificate) string {
	fallback := "serial number " + c.SerialNumber.Text(16)
	if names := Names(c); len(names) > 0 {
		fallback = names[0]
	}
	return name(c.Subject.String(), fallback)
}

// shortName is what an authority is known by.
func shortName(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return printable(c.Subject.CommonName)
	case len(c.Subject.Organization) > 0:
		return printable(c.Subject.Organization[0])
	default:
		return subject(c)
	}
}

func name(dn, fallback string) string {
	if dn == "" {
		dn = fallback
	}
	return printable(dn)
}

func keyKind(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA with %d bits", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA on " + key.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	default:
		return "key of kind " + c.PublicKeyAlgorithm.String()
	}
}
