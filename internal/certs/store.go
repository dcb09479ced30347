// Package certs holds certificates, private keys and trust roots in PEM files: it reads them when they are used and
// again when the files change, keeps the old ones where the new ones are broken, and tells an operator what is wrong
// with them.
package certs

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// Files name a certificate chain and its key.
type Files struct {
	Certificate string // PEM: leaf first, then intermediates; may hold the key too
	PrivateKey  string // PEM; "": the key is in Certificate
	Chain       string // PEM: further intermediates, "" for none (Twisted's extraCertChain)
}

// keyFile returns the file that the key is to be in.
func (f Files) keyFile() string {
	if f.PrivateKey == "" {
		return f.Certificate
	}
	return f.PrivateKey
}

// paths returns the files that are named.
func (f Files) paths() []string {
	paths := []string{f.Certificate}
	for _, path := range []string{f.PrivateKey, f.Chain} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// A Store has the certificates of one endpoint. It may be used by several goroutines.
type Store struct {
	dir   string
	files []Files

	mu       sync.Mutex
	cache    cache
	sets     uint64       // number of sets so far
	pairs    []*pair      // of files: the last good one of each; of dir: those of the current set
	watching atomic.Int32 // watches that see every change
	current  atomic.Pointer[set]

	platform platform
}

// NewStore makes a store of the pairs that files name, or of the PEM files in the directory dir and below it where dir
// is not "": then files mean nothing. It does no I/O.
//
// A directory means what it means in Twisted's tls:path=DIR. All regular files whose name ends in .pem are read, also
// through symbolic links; a key belongs to the certificate of the same public key, wherever the two stand; the chain
// of a certificate is put together from all certificates that are there; its names are the DNS names in it; and the
// default is the first pair in the order of the paths. So certbot's live directory and a directory of one certificate
// both work. Beyond Twisted, of several certificates for one name the newest valid one that the client supports is
// used, and a root is not made part of a chain.
func NewStore(dir string, files ...Files) *Store {
	if dir != "" {
		files = nil
	}
	return &Store{
		dir: dir, files: slices.Clone(files), pairs: make([]*pair, len(files)),
		cache: cache{files: map[string]*cached{}, folders: map[string]*folder{}}, platform: system(),
	}
}

// A pair is a certificate with its chain and key, and the files that they came from.
type pair struct {
	certificate *tls.Certificate
	certFiles   []string // those that have the leaf
	keyFiles    []string
}

// Load reads what is not read yet or has changed since: another size, modification time or inode, with symbolic links
// followed. The cost where nothing changed is a stat for each file, and for each directory below a store's directory; a
// file that changed less than two seconds before it was read is read again.
//
// Where a file is broken and an earlier version was good, the old certificates stay and are returned beside the error;
// the same where one file of a directory is broken. An error alone means that there is no certificate at all. It is a
// [*FileError], or several in one, but for a store for which nothing was named. The slice and the certificates must not be changed. Leaf is set in all of them.
func (s *Store) Load() ([]*tls.Certificate, error) {
	set := s.load(false)
	return set.all, set.err
}

// load makes the current set from the files as they are. Force reads them all.
func (s *Store) load(force bool) *set {
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.current.Load()
	for range 2 {
		if s.look(force); !s.cache.changed && current != nil {
			break
		}
		pairs, err := s.read()
		current = s.replace(pairs, err)
		if err == nil {
			break
		}
		// Two files of a pair may have been replaced between the reads of the one and of the other: look once more.
	}
	return current
}

// look brings the cache up to date: each file and directory is looked at once.
func (s *Store) look(force bool) {
	s.cache.begin(force)
	if s.dir != "" {
		paths, err := s.walk()
		s.cache.noteDir(paths, err)
		for _, path := range paths {
			_, _ = s.cache.file(path)
		}
	}
	for _, f := range s.files {
		for _, path := range f.paths() {
			_, _ = s.cache.file(path)
		}
	}
	s.cache.forget()
}

// replace makes pairs the current ones, unless there are none now where there were some.
func (s *Store) replace(pairs []*pair, err error) *set {
	if good := slices.ContainsFunc(pairs, func(p *pair) bool { return p != nil }); good || err == nil {
		s.pairs = pairs
	}
	next := newSet(s.pairs, s.dir != "", err)
	if next.err == nil && len(next.all) == 0 {
		next.err = errors.New("no certificate is named")
	}
	s.sets++
	next.number = s.sets
	s.current.Store(next)
	return next
}

// read makes the pairs from the cache. That of files has a place for each of them.
func (s *Store) read() ([]*pair, error) {
	if s.dir != "" {
		return s.readDir()
	}
	pairs := make([]*pair, len(s.files))
	var errs []error
	for i, f := range s.files {
		certificate, err := s.readPair(f)
		if err != nil {
			pairs[i] = s.pairs[i]
			errs = append(errs, err)
			continue
		}
		pairs[i] = &pair{certificate: certificate}
	}
	return pairs, join(errs...)
}

func (s *Store) readPair(f Files) (*tls.Certificate, error) {
	leaf, err := s.cache.file(f.Certificate)
	if err != nil {
		return nil, &FileError{"certificate", f.Certificate, err}
	}
	keys, err := s.cache.file(f.keyFile())
	if err != nil {
		return nil, &FileError{"privateKey", f.PrivateKey, err}
	}
	chain := &contents{}
	if f.Chain != "" {
		if chain, err = s.cache.file(f.Chain); err != nil {
			return nil, &FileError{"chain", f.Chain, err}
		}
	}
	return f.assemble(leaf, keys, chain)
}

// assemble puts a certificate, its key and its chain together.
func (f Files) assemble(leaf, keys, chain *contents) (*tls.Certificate, error) {
	certificates, err := f.chain(leaf, chain)
	if err != nil {
		return nil, err
	}
	key, err := f.findKey(certificates, keys)
	if err != nil {
		return nil, err
	}
	return newCertificate(key, certificates), nil
}

func (f Files) chain(leaf, chain *contents) ([]*x509.Certificate, error) {
	if err := firstFault("certificate", f.Certificate, leaf.foreign, leaf.certificateFaults); err != nil {
		return nil, err
	}
	if len(leaf.certificates) == 0 {
		return nil, fault("certificate", f.Certificate, "has no certificate: put the PEM of the certificate into it, or name the file that has it")
	}
	if f.Chain == "" {
		return leaf.certificates, nil
	}
	if err := firstFault("chain", f.Chain, chain.foreign, chain.certificateFaults); err != nil {
		return nil, err
	}
	if len(chain.certificates) == 0 {
		return nil, fault("chain", f.Chain, "has no certificate: put the intermediates into it, or leave the parameter out")
	}
	return unique(leaf.certificates, chain.certificates), nil
}

func firstFault(which, path string, foreign error, faults []error) error {
	if foreign != nil {
		return &FileError{which, path, foreign}
	}
	if len(faults) > 0 {
		return &FileError{which, path, faults[0]}
	}
	return nil
}

// findKey returns the key for the first of the certificates.
func (f Files) findKey(certificates []*x509.Certificate, keys *contents) (crypto.Signer, error) {
	for _, key := range keys.keys {
		if matches(certificates[0], key) {
			return key, nil
		}
	}
	path := f.keyFile()
	if err := firstFault("privateKey", path, keys.foreign, keys.keyFaults); err != nil {
		return nil, err
	}
	if len(keys.keys) == 0 {
		return nil, fault("privateKey", path, "has no private key: put it there, or name the file that has it as privateKey")
	}
	for i, other := range certificates[1:] {
		if slices.ContainsFunc(keys.keys, func(key crypto.Signer) bool { return matches(other, key) }) {
			return nil, fault("certificate", f.Certificate, "has the key's certificate (%s) as number %d: put it first, and the intermediates after it",
				subject(other), i+2)
		}
	}
	return nil, fault("privateKey", path, "has a private key that does not match the certificate in %s (%s): take the two of one request; openssl pkey -pubout -in KEY and openssl x509 -pubkey -noout -in CERTIFICATE must print the same",
		printable(f.Certificate), subject(certificates[0]))
}

// unique returns the certificates of a and then b, each once.
func unique(a, b []*x509.Certificate) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range slices.Concat(a, b) {
		if !slices.ContainsFunc(out, c.Equal) {
			out = append(out, c)
		}
	}
	return out
}

func newCertificate(key crypto.Signer, certificates []*x509.Certificate) *tls.Certificate {
	c := &tls.Certificate{PrivateKey: key, Leaf: certificates[0]}
	for _, certificate := range certificates {
		c.Certificate = append(c.Certificate, certificate.Raw)
	}
	return c
}

// ForServer picks the certificate for a client, and is meant for tls.Config.GetCertificate: one for the name that the
// client asks for (SNI, RFC 6066 section 3), else one for the wildcard in place of the name's first label, else the
// default. Of several it prefers those that the client supports and that are valid now, in this order, so that RSA and
// ECDSA certificates may stand beside each other.
//
// Under a [Store.Watch] it costs no system call and takes no lock; without one the files are looked at as by Load. It
// fails only where there is no certificate at all.
func (s *Store) ForServer(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	set := s.use()
	if len(set.all) == 0 {
		return nil, set.err
	}
	return set.forServer(hello), nil
}

// ForClient picks the certificate that a server asks for, and is meant for tls.Config.GetClientCertificate: the first
// that the server supports. Where none is of an authority that the server names, it is one that the server can at
// least check the signature of: the server may know the intermediates that the file lacks, and if not, its refusal says
// more than a missing certificate.
func (s *Store) ForClient(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	set := s.use()
	if len(set.all) == 0 {
		return nil, set.err
	}
	return set.forClient(request), nil
}

// use returns the current set: as the watch keeps it, or after a look at the files.
func (s *Store) use() *set {
	if s.watching.Load() > 0 {
		return s.current.Load()
	}
	return s.load(false)
}
