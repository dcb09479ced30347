package certs

import (
	"crypto/x509"
	"slices"
)

// directory looks at all files of a store's directory.
func (i *inspection) directory(s *Store) {
	paths, err := s.walk()
	i.each(Error, err)
	objects := newCollection()
	for _, path := range paths {
		found, err := s.cache.file(path)
		level := Error
		if err == nil && found.foreign != nil {
			level = Warning // somebody's file that is called .pem
		}
		for _, fault := range dirFaults(path, found, err) {
			i.fail(level, fault)
		}
		if err == nil {
			objects.add(path, found)
		}
	}
	pairs := objects.pairs()
	if len(pairs) == 0 && (err == nil || len(paths) > 0) {
		i.fail(Error, noPair(s.dir))
	}
	for _, p := range pairs {
		i.directoryPair(p, pairs, objects)
	}
	i.strays(objects)
	for _, path := range objects.allKeyFiles() {
		i.mode("path", path)
	}
}

// each says the errors of a list one by one.
func (i *inspection) each(level Level, err error) {
	if l, ok := err.(list); ok {
		for _, err := range l {
			i.fail(level, err)
		}
		return
	}
	i.fail(level, err)
}

// directoryPair looks at a pair; that an old one has expired is no matter where a newer one has taken its place.
func (i *inspection) directoryPair(p *pair, all []*pair, objects *collection) {
	leaf, path := p.certificate.Leaf, p.certFiles[0]
	if by := i.superseded(p, all); by != nil {
		i.say("path", Note, "%s: %s; %s is used for these names", printable(path), Describe(leaf, i.now), printable(by.certFiles[0]))
		return
	}
	i.leaf("path", path, leaf)
	top := leaf
	for _, c := range objects.chain(leaf)[1:] {
		i.validity("path", objects.certFiles[string(c.Raw)][0], c)
		top = c
	}
	// The root is left out of chains, and may be there all the same.
	if objects.issuer(top, nil) == nil {
		i.complete("path", path, top)
	}
}

// superseded returns the pair that is valid now and has all names of p, which is not.
func (i *inspection) superseded(p *pair, all []*pair) *pair {
	valid := func(c *x509.Certificate) bool { return !i.now.Before(c.NotBefore) && !i.now.After(c.NotAfter) }
	if valid(p.certificate.Leaf) {
		return nil
	}
	for _, other := range all {
		missing := func(name string) bool { return other.certificate.Leaf.VerifyHostname(name) != nil }
		if valid(other.certificate.Leaf) && !slices.ContainsFunc(Names(p.certificate.Leaf), missing) {
			return other
		}
	}
	return nil
}

// strays tells of the halves of pairs, in the order of the files.
func (i *inspection) strays(objects *collection) {
	for _, key := range objects.strayKeys() {
		i.say("path", Warning, "%s has a private key that no certificate in the directory is for: it is not used", printable(key))
	}
	for _, c := range objects.strayCertificates() {
		i.say("path", Note, "%s has the certificate %s, whose key is not in the directory: it is not used", printable(objects.certFiles[string(c.Raw)][0]), subject(c))
	}
}
