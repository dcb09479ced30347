package certs

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs/certtest"
)

func TestAChainThatARootOfTheSystemHasIssuedIsComplete(t *testing.T) {
	root := certtest.NewAuthority(t)
	certFile, keyFile, _ := root.WritePair(certtest.Spec{Names: []string{"a.example"}, Intermediate: true, NotAfter: time.Now().Add(-time.Hour)})
	pair := filepath.Join(t.TempDir(), "pair.pem")
	var data []byte
	for _, path := range []string{certFile, keyFile} {
		part, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, part...)
	}
	certtest.WriteFile(t, pair, data)
	stores := []*Store{NewStore("", Files{Certificate: certFile, PrivateKey: keyFile}), NewStore(filepath.Dir(pair))}
	for _, s := range stores {
		for _, known := range []bool{true, false} {
			s.platform.roots = func() (*x509.CertPool, error) {
				if !known {
					return nil, errors.New("there are none")
				}
				return root.Pool(), nil
			}
			warned := false
			for _, p := range s.Inspect(time.Now()) {
				warned = warned || strings.Contains(p.Message, "the chain ends at")
			}
			if warned == known {
				t.Errorf("%q: the root is known: %v, and there is a warning: %v", s.dir, known, warned)
			}
		}
	}
}

func TestInspectionOfTheSystemsRoots(t *testing.T) {
	r := NewRoots("")
	r.platform.roots = func() (*x509.CertPool, error) { return x509.NewCertPool(), nil }
	if p := r.Inspect(time.Now()); len(p) != 1 || p[0].Level != Note {
		t.Errorf("%+v", p)
	}
	r.platform.roots = func() (*x509.CertPool, error) { return nil, errors.New("no such thing") }
	if p := r.Inspect(time.Now()); len(p) != 1 || p[0].Level != Error || !strings.Contains(p[0].Message, "no such thing") {
		t.Errorf("%+v", p)
	}
}

func TestDirectoriesHaveLimits(t *testing.T) {
	top := t.TempDir()
	deep := filepath.Join(append([]string{top}, strings.Split(strings.Repeat("d ", maxDepth+1), " ")...)...)
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	certPEM, keyPEM := certtest.NewAuthority(t).Issue(certtest.Spec{})
	for _, dir := range []string{top, deep, filepath.Dir(deep)} {
		certtest.WriteFile(t, filepath.Join(dir, "pair.pem"), append(certPEM, keyPEM...))
	}
	s := NewStore(top)
	loaded, err := s.Load()
	if len(loaded) != 1 || err == nil || !strings.Contains(err.Error(), "more than 16 directories below") {
		t.Errorf("%d certificates, %v", len(loaded), err)
	}
	if len(s.cache.paths) != 2 {
		t.Errorf("read: %q", s.cache.paths)
	}

	info, err := os.Stat(top)
	if err != nil {
		t.Fatal(err)
	}
	w := &walk{cache: &s.cache, entries: maxEntries}
	if w.directory(top, info, nil); len(w.files) > 0 {
		t.Errorf("too much is read: %q", w.files)
	}
}

func TestWhatTheSystemSaysIsExplained(t *testing.T) {
	for _, err := range []error{fs.ErrNotExist, fs.ErrPermission, errNotRegular, &fs.PathError{Op: "open", Path: "x", Err: errors.New("stale handle")}, errTooLarge} {
		explained := explain(err)
		if !errors.Is(explained, err) || strings.Contains(explained.Error(), "x:") {
			t.Errorf("%v is explained as %v", err, explained)
		}
	}
	many := make([]error, 40)
	for i := range many {
		many[i] = fault("path", strings.Repeat("x", i+1), "is bad")
	}
	if text := join(many...).Error(); !strings.HasSuffix(text, "; and 24 more") {
		t.Errorf("many errors are %s", text)
	}
	if err := join(nil, many[0], nil, many[0]); err != many[0] {
		t.Errorf("one error is %v", err)
	}
}

func TestADescriptionTellsForWhichSide(t *testing.T) {
	a, now := certtest.NewAuthority(t), time.Now()
	for want, usage := range map[string][]x509.ExtKeyUsage{
		", for servers only": {x509.ExtKeyUsageServerAuth},
		", for clients only": {x509.ExtKeyUsageClientAuth},
		" UTC)":              nil,
	} {
		if got := Describe(a.NewCertificate(certtest.Spec{Names: []string{"a.example"}, Usage: usage}).Leaf, now); !strings.HasSuffix(got, want) {
			t.Errorf("%s does not end in %q", got, want)
		}
	}
}
