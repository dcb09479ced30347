package certs

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Roots are the authorities that a peer's certificate must come from. They may be used by several goroutines.
type Roots struct {
	path string

	mu    sync.Mutex
	cache cache
	dir   folder
	pool  *x509.CertPool // the last good one
	err   error
	known bool

	platform platform
}

// NewRoots names the trust roots: those in a PEM file, or in the files of a directory; "" are the system's. It does no
// I/O.
//
// Of a directory every regular file counts that has certificates in it, whatever its name, also through symbolic links
// such as OpenSSL's hashed names; files without any, and directories in it, are passed over. A certificate that can't
// be read is passed over too, as crypto/x509 does with the system's; [Roots.Inspect] names it.
func NewRoots(path string) *Roots {
	return &Roots{path: path, cache: cache{files: map[string]*cached{}}, platform: system()}
}

// Pool returns the roots, as tls.Config.RootCAs and ClientCAs take them: nil, nil are the system's. It is the same pool
// until a file changes, and costs a stat for each file then (see [Store.Load]). It must not be changed.
//
// Where a file is broken and an earlier version was good, the earlier pool is returned beside the error; a nil pool
// beside an error means that there are no roots, and must not be taken for the system's. The error is a [*FileError].
func (r *Roots) Pool() (*x509.CertPool, error) {
	if r.path == "" {
		return nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cache.begin(false)
	certificates, names, err := r.read()
	r.cache.noteDir(names, err)
	r.cache.forget()
	if r.known && !r.cache.changed {
		return r.pool, r.err
	}
	r.known, r.err = true, err
	if err == nil {
		r.pool = newPool(certificates)
	}
	return r.pool, r.err
}

func newPool(certificates []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certificates {
		pool.AddCert(c)
	}
	return pool
}

// read returns all certificates that can be used, and where the path is a directory the names in it.
func (r *Roots) read() (certificates []*x509.Certificate, names []string, err error) {
	info, err := os.Stat(r.path)
	switch {
	case err != nil:
		err = explain(err)
	case info.IsDir():
		certificates, names, err = r.readDir(info)
	default:
		certificates, err = r.readFile()
	}
	if err != nil {
		err = &FileError{"trustRoots", r.path, err}
	}
	return certificates, names, err
}

func (r *Roots) readFile() ([]*x509.Certificate, error) {
	c, err := r.cache.file(r.path)
	switch {
	case err != nil:
		return nil, err
	case len(c.certificates) > 0:
		return c.certificates, nil
	case len(c.faults()) > 0:
		return nil, c.faults()[0]
	default:
		return nil, errors.New("has no certificate: name a PEM file with the certificates of the authorities to trust")
	}
}

func (r *Roots) readDir(info fs.FileInfo) ([]*x509.Certificate, []string, error) {
	names, err := r.list(info)
	if err != nil {
		return nil, nil, explain(err)
	}
	var all []*x509.Certificate
	for _, name := range names {
		// A file that can't be read, or is no PEM file, is no authority's; Inspect tells of it.
		if c, err := r.cache.file(filepath.Join(r.path, name)); err == nil {
			all = append(all, c.certificates...)
		}
	}
	if len(all) == 0 {
		return nil, names, errors.New("has no file with a certificate in it: put the certificates of the authorities to trust there, in PEM")
	}
	return all, names, nil
}

// list returns the names of the directory that may be files.
func (r *Roots) list(info fs.FileInfo) ([]string, error) {
	if r.dir.stamp.shows(info) {
		return r.dir.names, nil
	}
	entries, err := os.ReadDir(r.path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	if len(names) > maxEntries {
		return nil, fmt.Errorf("has more than %d files: name a smaller directory", maxEntries)
	}
	r.dir = folder{stamp: newStamp(info, time.Now()), names: slices.Clip(names)}
	return names, nil
}
