package certs

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs/certtest"
)

// oldPair writes a pair that has not changed for a while.
func oldPair(tb testing.TB, names ...string) Files {
	tb.Helper()
	certFile, keyFile, caFile := certtest.WritePair(tb, names...)
	then := time.Now().Add(-time.Hour)
	for _, path := range []string{certFile, keyFile, caFile} {
		if err := os.Chtimes(path, then, then); err != nil {
			tb.Fatal(err)
		}
	}
	return Files{Certificate: certFile, PrivateKey: keyFile}
}

func serves(t *testing.T, s *Store, name string) {
	t.Helper()
	c, err := s.ForServer(&tls.ClientHelloInfo{})
	if err != nil || c.Leaf.Subject.CommonName != name {
		t.Errorf("there is %v (%v), want %s", c, err, name)
	}
}

// A file that has not changed is not read.
func TestAnUnchangedFileIsNotRead(t *testing.T) {
	files := oldPair(t, "a.example")
	c := cache{files: map[string]*cached{}}
	look := func() *contents {
		t.Helper()
		c.begin(false)
		found, err := c.file(files.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	first := look()
	c.files[files.Certificate].sum[0]++ // so that reading it would count as a change
	if look() != first || c.changed {
		t.Error("it was read again")
	}
	c.begin(true)
	if found, _ := c.file(files.Certificate); found == first || !c.changed {
		t.Error("it was not read again, and that was asked for")
	}
}

// Nothing of a directory is read or checked again where nothing has changed.
func TestAnUnchangedDirectoryCostsAStatAFile(t *testing.T) {
	files := oldPair(t, "a.example")
	dir := filepath.Dir(files.Certificate)
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(dir, then, then); err != nil {
		t.Fatal(err)
	}
	s := NewStore(dir)
	first := s.load(false)
	if first.err != nil {
		t.Fatal(first.err)
	}
	// Reading these again would count as a change.
	for _, f := range s.cache.files {
		f.sum[0]++
	}
	s.cache.folders[dir].names = append(s.cache.folders[dir].names, "none.pem")
	s.look(false)
	if s.cache.changed || s.load(false) != first {
		t.Error("something was read again")
	}
}

func TestWhatComesFromOutsideIsShownSafely(t *testing.T) {
	for text, want := range map[string]string{
		"/etc/ssl/ü.pem": "/etc/ssl/ü.pem",
		"a\nb":           `"a\nb"`,
		"\x1b[31m":       `"\x1b[31m"`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is shown as %s", text, got)
		}
	}
	if got := printable(strings.Repeat("é", 1000)); len(got) > 260 {
		t.Errorf("a long text has %d bytes", len(got))
	}
}

// blocks returns how many lines begin a block.
func blocks(data []byte) int {
	n := 0
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(strings.TrimPrefix(line, byteOrder), beginLine) {
			n++
		}
	}
	return n
}

// Whatever a file holds, each block of it is one certificate, key, fault or other thing, and no fault tells of keys.
func FuzzPEM(f *testing.F) {
	authority := certtest.NewAuthority(f)
	certPEM, keyPEM := authority.Issue(certtest.Spec{Names: []string{"a.example"}, Format: certtest.SEC1})
	f.Add(slices.Concat(certPEM, keyPEM))
	f.Add(slices.Concat([]byte(byteOrder), certPEM[:len(certPEM)/2], []byte("\n"), keyPEM))
	f.Add(authority.Certificate.Raw)
	f.Add([]byte("text\r\n-----BEGIN X-----\r\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := parsePEM(data)
		if c.foreign != nil {
			if len(c.certificates)+len(c.keys)+len(c.faults())+len(c.others) != 1 {
				t.Errorf("a file that is none has something in it: %+v", c)
			}
			return
		}
		parts := len(c.certificates) + len(c.keys) + len(c.faults()) + len(c.others)
		// The parameters of a curve are passed over.
		if n := blocks(data); parts > n || n == 0 {
			t.Errorf("%d blocks have %d parts", n, parts)
		}
		for _, fault := range c.faults() {
			if text := fault.Error(); strings.Contains(text, "\n") || len(text) > 1000 {
				t.Errorf("a fault is %q", text)
			}
		}
		for _, key := range c.keys {
			for _, certificate := range c.certificates {
				matches(certificate, key)
			}
		}
	})
}
