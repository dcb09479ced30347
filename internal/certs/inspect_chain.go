package certs

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

// chain looks at the certificates above the leaf as they will be sent.
func (i *inspection) chain(f Files, sent []*x509.Certificate, extra *contents) {
	// where tells which file a certificate above the leaf came from.
	where := func(c *x509.Certificate) (which, path string) {
		if slices.ContainsFunc(extra.certificates, c.Equal) {
			return "chain", f.Chain
		}
		return "certificate", f.Certificate
	}
	for _, c := range sent[1:] {
		which, path := where(c)
		i.validity(which, path, c)
	}
	path, top := pathUp(sent)
	i.complete("certificate", f.Certificate, top)
	if !slices.IsSorted(path) {
		i.say("certificate", Warning, "%s has its chain in the wrong order: put each certificate right after the one that it issued, as some peers do not sort them", printable(f.Certificate))
	}
	for n, c := range sent {
		if which, file := where(c); !slices.Contains(path, n) {
			i.say(which, Warning, "%s has %s, which is not part of the chain of %s: leave it out", printable(file), subject(c), subject(sent[0]))
		}
	}
	if len(sent) > 1 && isSelfSigned(top) {
		which, file := where(top)
		i.say(which, Note, "%s has the root %s too, which need not be sent", printable(file), subject(top))
	}
}

// pathUp returns the way from the first certificate upwards as indices of chain, and the last certificate on it.
func pathUp(chain []*x509.Certificate) (path []int, top *x509.Certificate) {
	path, top = []int{0}, chain[0]
	for !isSelfSigned(top) {
		next := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return isIssuer(c, top) })
		if next < 0 || slices.Contains(path, next) {
			break
		}
		path, top = append(path, next), chain[next]
	}
	return path, top
}

// complete says where a chain ends that does not lead to a root that is known.
func (i *inspection) complete(which, path string, top *x509.Certificate) {
	if isSelfSigned(top) || i.systemKnows(top) {
		return
	}
	i.say(which, Warning, "%s: the chain ends at %s, and its issuer (%s) is neither in the files nor a root of this system: "+
		"if it is an intermediate, put its certificate after the others; if it is a root of your own, the peers must have it",
		printable(path), subject(top), name(top.Issuer.String(), "without a name"))
}

// systemKnows reports whether a root of the system has issued c. Whether c is valid now is another question.
func (i *inspection) systemKnows(c *x509.Certificate) bool {
	if i.system == nil {
		pool, err := i.platform.roots()
		if err != nil {
			pool = x509.NewCertPool()
		}
		i.system = pool
	}
	_, err := c.Verify(x509.VerifyOptions{
		Roots: i.system, CurrentTime: within(i.now, c), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	var unknown x509.UnknownAuthorityError
	return !errors.As(err, &unknown)
}

// within returns the time in the validity of c that is nearest to t.
func within(t time.Time, c *x509.Certificate) time.Time {
	switch {
	case t.Before(c.NotBefore):
		return c.NotBefore
	case t.After(c.NotAfter):
		return c.NotAfter
	default:
		return t
	}
}
