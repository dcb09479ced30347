package certs

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"time"
)

// A set is what a store holds at one time. It is not changed after it was made.
type set struct {
	all       []*tls.Certificate            // in the order of preference
	names     map[string][]*tls.Certificate // by DNS name in lower case
	wildcards map[string][]*tls.Certificate // by what follows "*."
	first     []*tls.Certificate            // for clients that ask for no name, or for one that nobody has
	err       error                         // what was wrong
	number    uint64                        // counts the sets of a store
}

// newSet sorts pairs by name. Of a directory (newestFirst) the pairs of one name have no order of their own.
func newSet(pairs []*pair, newestFirst bool, err error) *set {
	s := &set{names: map[string][]*tls.Certificate{}, wildcards: map[string][]*tls.Certificate{}, err: err}
	for _, p := range pairs {
		if p != nil {
			s.all = append(s.all, p.certificate)
		}
	}
	s.all = slices.Clip(s.all)
	for _, c := range s.all {
		for _, name := range c.Leaf.DNSNames {
			s.add(normal(name), c)
		}
	}
	s.first = s.all
	if newestFirst {
		for _, certificates := range s.names {
			slices.SortStableFunc(certificates, byAge)
		}
		for _, certificates := range s.wildcards {
			slices.SortStableFunc(certificates, byAge)
		}
		s.first = s.withFirstName()
	}
	return s
}

func (s *set) add(name string, c *tls.Certificate) {
	names := s.names
	if suffix, ok := strings.CutPrefix(name, "*."); ok {
		names, name = s.wildcards, suffix
	}
	// A name may stand in a certificate twice.
	if !slices.Contains(names[name], c) {
		names[name] = append(names[name], c)
	}
}

// withFirstName returns all certificates, those for the first name of the first pair that has names before the others:
// that is Twisted's default.
func (s *set) withFirstName() []*tls.Certificate {
	var first []*tls.Certificate
	if i := slices.IndexFunc(s.all, func(c *tls.Certificate) bool { return len(c.Leaf.DNSNames) > 0 }); i >= 0 {
		first = s.lookup(normal(s.all[i].Leaf.DNSNames[0]))
	}
	rest := slices.DeleteFunc(slices.Clone(s.all), func(c *tls.Certificate) bool { return slices.Contains(first, c) })
	return slices.Concat(first, rest)
}

// lookup finds a name, which may be a wildcard itself.
func (s *set) lookup(name string) []*tls.Certificate {
	if suffix, ok := strings.CutPrefix(name, "*."); ok {
		return s.wildcards[suffix]
	}
	if found := s.names[name]; found != nil {
		return found
	}
	if _, suffix, ok := strings.Cut(name, "."); ok {
		return s.wildcards[suffix]
	}
	return nil
}

// normal is the form in which names are compared (RFC 4343), without the dot of the root.
func normal(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// byAge puts the kinds of keys that are cheap to sign with first, then the newest.
func byAge(a, b *tls.Certificate) int {
	if kind := keyCost(a) - keyCost(b); kind != 0 {
		return kind
	}
	return b.Leaf.NotBefore.Compare(a.Leaf.NotBefore)
}

func keyCost(c *tls.Certificate) int {
	if c.Leaf.PublicKeyAlgorithm == x509.RSA {
		return 1
	}
	return 0
}

func (s *set) forServer(hello *tls.ClientHelloInfo) *tls.Certificate {
	candidates := s.lookup(normal(hello.ServerName))
	if candidates == nil {
		candidates = s.first
	}
	if len(candidates) == 1 {
		return candidates[0]
	}
	// Whether the name fits is settled, and the default is for names that nobody has.
	nameless := *hello
	nameless.ServerName = ""
	return prefer(candidates, func(c *tls.Certificate) bool { return nameless.SupportsCertificate(c) == nil })
}

func (s *set) forClient(request *tls.CertificateRequestInfo) *tls.Certificate {
	for _, c := range s.all {
		if request.SupportsCertificate(c) == nil {
			return c
		}
	}
	anyAuthority := *request
	anyAuthority.AcceptableCAs = nil
	return prefer(s.all, func(c *tls.Certificate) bool { return anyAuthority.SupportsCertificate(c) == nil })
}

// prefer returns the first of candidates that is supported and valid now, else the first that is supported, else the
// first: whoever can use none of them is refused by crypto/tls, in better words.
func prefer(candidates []*tls.Certificate, supported func(*tls.Certificate) bool) *tls.Certificate {
	now := time.Now()
	var second *tls.Certificate
	for _, c := range candidates {
		if !supported(c) {
			continue
		}
		if !now.Before(c.Leaf.NotBefore) && !now.After(c.Leaf.NotAfter) {
			return c
		}
		if second == nil {
			second = c
		}
	}
	if second == nil {
		return candidates[0]
	}
	return second
}
