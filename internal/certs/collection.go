package certs

import (
	"crypto"
	"crypto/x509"
	"slices"
)

// maxChain is the longest chain that is put together; the Web's have two or three certificates.
const maxChain = 8

// A collection is all certificates and keys of a directory, each once, with the files that they stand in.
type collection struct {
	certificates []*x509.Certificate
	keys         []crypto.Signer
	certFiles    map[string][]string // by the certificate's DER
	keyFiles     [][]string          // by index of keys

	byKey map[string][]*x509.Certificate // certificates by public key
	index map[string]int                 // keys by public key
}

func newCollection() *collection {
	return &collection{certFiles: map[string][]string{}, byKey: map[string][]*x509.Certificate{}, index: map[string]int{}}
}

func (c *collection) add(path string, found *contents) {
	for _, certificate := range found.certificates {
		raw := string(certificate.Raw)
		if c.certFiles[raw] == nil {
			c.certificates = append(c.certificates, certificate)
			public := fingerprint(certificate.PublicKey)
			c.byKey[public] = append(c.byKey[public], certificate)
		}
		c.certFiles[raw] = append(c.certFiles[raw], path)
	}
	for _, key := range found.keys {
		public := fingerprint(key.Public())
		i, ok := c.index[public]
		if !ok {
			i = len(c.keys)
			c.index[public] = i
			c.keys, c.keyFiles = append(c.keys, key), append(c.keyFiles, nil)
		}
		c.keyFiles[i] = append(c.keyFiles[i], path)
	}
}

// fingerprint is equal for equal public keys; those of kinds that can't be used here have none.
func fingerprint(public crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	return string(der)
}

// pairs puts keys and certificates together, in the order of the keys, as Twisted does. A key that was used for several
// certificates makes several pairs.
func (c *collection) pairs() []*pair {
	var out []*pair
	for i, key := range c.keys {
		certificates := slices.Clone(c.byKey[fingerprint(key.Public())])
		slices.SortStableFunc(certificates, func(a, b *x509.Certificate) int { return b.NotBefore.Compare(a.NotBefore) })
		for _, leaf := range certificates {
			out = append(out, &pair{
				certificate: newCertificate(key, c.chain(leaf)),
				certFiles:   c.certFiles[string(leaf.Raw)],
				keyFiles:    c.keyFiles[i],
			})
		}
	}
	return out
}

// chain returns leaf and the intermediates above it, as far as they are there, without the root.
func (c *collection) chain(leaf *x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{leaf}
	for top := leaf; len(chain) < maxChain && !isSelfSigned(top); {
		if top = c.issuer(top, chain); top == nil || isSelfSigned(top) {
			break
		}
		chain = append(chain, top)
	}
	return chain
}

// issuer finds the certificate that signed child and is valid for longest; below are those that can't be it.
func (c *collection) issuer(child *x509.Certificate, below []*x509.Certificate) *x509.Certificate {
	var best *x509.Certificate
	for _, candidate := range c.certificates {
		if isIssuer(candidate, child) && !slices.ContainsFunc(below, candidate.Equal) &&
			(best == nil || candidate.NotAfter.After(best.NotAfter)) {
			best = candidate
		}
	}
	return best
}

// isIssuer reports whether child was signed with the key of issuer (RFC 5280 section 6.1).
func isIssuer(issuer, child *x509.Certificate) bool {
	return string(issuer.RawSubject) == string(child.RawIssuer) && child.CheckSignatureFrom(issuer) == nil
}

// isSelfSigned leaves open whether the certificate may sign others: that of a single server need not.
func isSelfSigned(c *x509.Certificate) bool {
	return string(c.RawSubject) == string(c.RawIssuer) &&
		c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// keep returns those of the old pairs that are being replaced by something that does not fit together (yet): their
// certificate's file has another certificate now and no key for it, or their key's file another key and no certificate
// for it. Where the files of a pair are gone, or belong to others, so is the pair.
func (c *collection) keep(old, now []*pair) (kept []*pair, errs []error) {
	stray := c.strays()
	for _, p := range old {
		if c.has(p, now) {
			continue
		}
		for _, path := range slices.Concat(p.certFiles, p.keyFiles) {
			if what := stray[path]; what != "" {
				kept = append(kept, p)
				errs = append(errs, fault("path", path, "has %s now, and the other half is not there: put certificate and key of one request into the directory; until then the old pair (%s) stays in use",
					what, subject(p.certificate.Leaf)))
				break
			}
		}
	}
	return kept, errs
}

func (c *collection) has(p *pair, now []*pair) bool {
	return slices.ContainsFunc(now, func(n *pair) bool { return n.certificate.Leaf.Equal(p.certificate.Leaf) })
}

// strays tells for each file what half of a pair is in it, where the other half is in no file.
func (c *collection) strays() map[string]string {
	stray := map[string]string{}
	for _, certificate := range c.strayCertificates() {
		for _, path := range c.certFiles[string(certificate.Raw)] {
			stray[path] = "a certificate (" + subject(certificate) + ")"
		}
	}
	for _, path := range c.strayKeys() {
		stray[path] = "a private key"
	}
	return stray
}

// strayCertificates are those that have no key, and are no authority's: these need none.
func (c *collection) strayCertificates() []*x509.Certificate {
	return slices.DeleteFunc(slices.Clone(c.certificates), func(certificate *x509.Certificate) bool {
		_, ok := c.index[fingerprint(certificate.PublicKey)]
		return ok || certificate.IsCA
	})
}

// strayKeys are the files of keys that no certificate is for.
func (c *collection) strayKeys() []string {
	var paths []string
	for i, key := range c.keys {
		if len(c.byKey[fingerprint(key.Public())]) == 0 {
			paths = append(paths, c.keyFiles[i]...)
		}
	}
	return paths
}

// allKeyFiles returns the files that have keys, each once.
func (c *collection) allKeyFiles() []string {
	paths := slices.Concat(c.keyFiles...)
	slices.Sort(paths)
	return slices.Compact(paths)
}
