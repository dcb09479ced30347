package certs

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Inspect reads the roots anew and tells what is wrong with them, and how many there are of what names. Which is
// "trustRoots" in all of it.
func (r *Roots) Inspect(now time.Time) []Problem {
	i := &inspection{now: now, platform: r.platform}
	if r.path == "" {
		i.systemRoots()
		return i.problems
	}
	fresh := NewRoots(r.path)
	fresh.cache.begin(true)
	certificates, names, err := fresh.read()
	if i.fail(Error, err) && len(names) == 0 {
		return i.problems
	}
	if info, err := os.Stat(r.path); err == nil && !info.IsDir() {
		i.rootFile(fresh, r.path)
	}
	passed := 0
	for _, name := range names {
		if !i.rootFile(fresh, filepath.Join(r.path, name)) {
			passed++
		}
	}
	if passed > 0 {
		i.say("trustRoots", Note, "%s: %s without a certificate passed over", printable(r.path), count(passed, "file"))
	}
	i.roots(r.path, unique(certificates, nil))
	return i.problems
}

func (i *inspection) systemRoots() {
	if _, err := i.platform.roots(); err != nil {
		i.say("trustRoots", Error, "the roots of this system can't be read (%s): install them, or name a file of your own", err)
		return
	}
	i.say("trustRoots", Note, "the roots of this system")
}

// rootFile tells what in a file of certificates is not used, and returns whether there is something to use.
func (i *inspection) rootFile(r *Roots, path string) bool {
	found, err := r.cache.file(path)
	if err != nil {
		i.fail(Warning, &FileError{"trustRoots", path, err})
		return true
	}
	for _, fault := range found.certificateFaults {
		i.fail(Warning, &FileError{"trustRoots", path, fmt.Errorf("%w; it is not trusted", fault)})
	}
	if len(found.keys)+len(found.keyFaults) > 0 {
		i.say("trustRoots", Warning, "%s has a private key in it, which has no business among trust roots: take it out", printable(path))
	}
	return len(found.certificates)+len(found.certificateFaults) > 0
}

func (i *inspection) roots(path string, certificates []*x509.Certificate) {
	var names []string
	expired := 0
	for _, c := range certificates {
		names = append(names, shortName(c))
		if i.now.After(c.NotAfter) {
			expired++
			i.say("trustRoots", Warning, "%s has the root %s, which has expired on %s: replace it", printable(path), subject(c), date(c.NotAfter))
		}
	}
	if len(certificates) == 0 {
		return
	}
	if expired == len(certificates) {
		i.say("trustRoots", Error, "%s has no root that has not expired: no certificate will be accepted", printable(path))
	}
	i.say("trustRoots", Note, "%s: %s: %s", printable(path), count(len(certificates), "root"), enumerate(names, ""))
}
