package certs

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Level says how bad a problem is.
type Level uint8

// The levels of problems. The zero Level is Error.
const (
	Error   Level = iota // it can't work
	Warning              // it works, perhaps not for long or not for everybody
	Note                 // nothing is wrong
)

// String returns "error", "warning" or "note".
func (l Level) String() string {
	switch l {
	case Error:
		return "error"
	case Warning:
		return "warning"
	default:
		return "note"
	}
}

// A Problem is what an operator should know of a file.
type Problem struct {
	Which   string // what the file was named as: "certificate", "privateKey", "chain", "path" or "trustRoots"
	Level   Level
	Message string // one line, which names the file and tells what to do; without key material
}

// Inspect reads all files anew, without changing what the store uses, and tells what is wrong with them and what they
// are: files that are missing, broken or of another kind; keys that are encrypted, weak, of another certificate or open
// to others; certificates that have expired, are not valid yet, or end within 14 days of now; chains that are
// incomplete or out of order; and those of names that no certificate is for. It makes no connection.
func (s *Store) Inspect(now time.Time, names ...string) []Problem {
	i := &inspection{now: now, platform: s.platform}
	fresh := NewStore(s.dir, s.files...)
	fresh.cache.begin(true)
	which := "certificate"
	if s.dir != "" {
		which = "path"
		i.directory(fresh)
	} else if len(s.files) == 0 {
		i.say(which, Error, "no certificate is named")
	}
	for _, f := range fresh.files {
		i.pair(&fresh.cache, f)
	}
	i.names(which, names)
	return i.problems
}

// An inspection collects problems.
type inspection struct {
	now      time.Time
	platform platform
	system   *x509.CertPool
	problems []Problem
	leaves   []*x509.Certificate
}

func (i *inspection) say(which string, level Level, format string, args ...any) {
	i.problems = append(i.problems, Problem{which, level, fmt.Sprintf(format, args...)})
}

// fail says what an error says, and returns whether there is one.
func (i *inspection) fail(level Level, err error) bool {
	if err == nil {
		return false
	}
	var f *FileError
	which := ""
	if errors.As(err, &f) {
		which = f.Which
	}
	i.say(which, level, "%s", err)
	return true
}

// pair looks at all files of a pair, also where one of them is no use.
func (i *inspection) pair(c *cache, f Files) {
	leaf := i.open(c, "certificate", f.Certificate)
	keys := leaf
	if f.PrivateKey != "" && f.PrivateKey != f.Certificate {
		keys = i.open(c, "privateKey", f.PrivateKey)
	}
	chain := &contents{}
	if f.Chain != "" {
		if chain = i.open(c, "chain", f.Chain); chain == nil {
			f.Chain = "" // said already
		}
	}
	var certificates []*x509.Certificate
	if leaf != nil {
		var err error
		if certificates, err = f.chain(leaf, chain); i.fail(Error, err) {
			// Said of all of it; what can be read is looked at nevertheless.
			certificates = leaf.certificates
		}
	}
	if keys != nil {
		i.key(f, certificates, keys)
	}
	if len(certificates) > 0 {
		i.leaf("certificate", f.Certificate, certificates[0])
		i.chain(f, certificates, chain)
	}
}

// open returns nil where the file can't be read, and has said so.
func (i *inspection) open(c *cache, which, path string) *contents {
	found, err := c.file(path)
	if err != nil {
		i.fail(Error, &FileError{which, path, err})
		return nil
	}
	return found
}

func (i *inspection) key(f Files, certificates []*x509.Certificate, keys *contents) {
	switch {
	case len(certificates) > 0:
		_, err := f.findKey(certificates, keys)
		i.fail(Error, err)
	case f.PrivateKey == "":
		// Whether it has a key matters less than that it has no certificate.
	case len(keys.keys) == 0:
		if !i.fail(Error, firstFault("privateKey", f.PrivateKey, keys.foreign, keys.keyFaults)) {
			i.fail(Error, fault("privateKey", f.PrivateKey, "has no private key"))
		}
	}
	if len(keys.keys)+len(keys.keyFaults) > 0 {
		i.mode("privateKey", f.keyFile())
	}
}

// mode warns of a key that others can read.
func (i *inspection) mode(which, path string) {
	info, err := os.Stat(path)
	if err != nil || !i.platform.modes {
		return
	}
	who := ""
	switch mode := info.Mode().Perm(); {
	case mode&0o004 != 0:
		who = "everybody"
	case mode&0o040 != 0:
		who = "its group"
	default:
		return
	}
	i.say(which, Warning, "%s has a private key and may be read by %s: take that away by chmod 600, unless it is meant", printable(path), who)
}

// leaf looks at one certificate of an endpoint.
func (i *inspection) leaf(which, path string, c *x509.Certificate) {
	i.leaves = append(i.leaves, c)
	i.say(which, Note, "%s: %s", printable(path), Describe(c, i.now))
	i.validity(which, path, c)
	if len(Names(c)) == 0 {
		i.say(which, Warning, "%s (%s) is for no DNS name and no IP address (subjectAltName): clients that verify the name of a server refuse it", printable(path), subject(c))
	}
	if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < 2048 {
		i.say(which, Warning, "%s (%s) has a weak key, RSA with %d bits: make one of 2048 bits or more, or ECDSA on P-256", printable(path), subject(c), key.N.BitLen())
	}
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		i.say(which, Warning, "%s (%s) is signed with %s, which clients refuse today: have it issued again", printable(path), subject(c), c.SignatureAlgorithm)
	}
}

func (i *inspection) validity(which, path string, c *x509.Certificate) {
	days, isSoon := ExpiresSoon(c, i.now)
	switch {
	case i.now.Before(c.NotBefore):
		i.say(which, Error, "%s (%s) is not valid before %s: wait, or set the clock", printable(path), subject(c), date(c.NotBefore))
	case days < 0:
		i.say(which, Error, "%s (%s) has expired on %s: renew it", printable(path), subject(c), date(c.NotAfter))
	case isSoon:
		i.say(which, Warning, "%s (%s) expires in %s, on %s: renew it", printable(path), subject(c), count(days, "day"), date(c.NotAfter))
	}
}

// names says which of the names that are to be served no certificate is for.
func (i *inspection) names(which string, names []string) {
	if len(i.leaves) == 0 {
		return
	}
	var have []string
	for _, leaf := range i.leaves {
		for _, name := range Names(leaf) {
			if !slices.Contains(have, name) {
				have = append(have, name)
			}
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(i.leaves, func(c *x509.Certificate) bool { return c.VerifyHostname(name) == nil }) {
			i.say(which, Error, "no certificate is for %s: they are for %s", printable(name), enumerate(have, "no name at all"))
		}
	}
}

// enumerate shows the first few.
func enumerate(names []string, none string) string {
	const most = 8
	switch n := len(names); {
	case n == 0:
		return none
	case n > most:
		return printable(strings.Join(names[:most], ", ")) + fmt.Sprintf(" and %d more", n-most)
	default:
		return printable(strings.Join(names, ", "))
	}
}
