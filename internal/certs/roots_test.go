package certs_test

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/certs/certtest"
)

// trusts reports whether a client with these roots takes what authority has issued.
func trusts(t *testing.T, r *certs.Roots, authority *certtest.Authority) bool {
	t.Helper()
	pool, err := r.Pool()
	if pool == nil {
		t.Fatalf("there is no pool: %v", err)
	}
	leaf := authority.NewCertificate(certtest.Spec{Names: []string{"a.example"}}).Leaf
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: "a.example", Roots: pool})
	return err == nil
}

func TestTheSystemsRootsAreNone(t *testing.T) {
	if pool, err := certs.NewRoots("").Pool(); pool != nil || err != nil {
		t.Errorf("%v, %v", pool, err)
	}
}

func TestRootsOfAFile(t *testing.T) {
	one, two, three := certtest.NewAuthority(t), certtest.NewAuthority(t), certtest.NewAuthority(t)
	file := filepath.Join(t.TempDir(), "ca.crt")
	odd := []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	write(t, file, []byte("# all of ours\n"), one.PEM(), odd, two.PEM())
	r := certs.NewRoots(file)
	if !trusts(t, r, one) || !trusts(t, r, two) || trusts(t, r, three) {
		t.Error("the wrong ones are trusted")
	}
	first, _ := r.Pool()
	if again, err := r.Pool(); again != first || err != nil {
		t.Errorf("what has not changed is another pool (%v)", err)
	}

	write(t, file, three.PEM())
	if trusts(t, r, one) || !trusts(t, r, three) {
		t.Error("the change is not seen")
	}
	for range 2 {
		must(t, os.WriteFile(file, []byte("nothing"), 0o600))
		pool, err := r.Pool()
		refused(t, err, file, "not a PEM file")
		if pool == nil || !trusts(t, r, three) {
			t.Error("the old roots are forgotten")
		}
	}
	must(t, os.Remove(file))
	_, err := r.Pool()
	refused(t, err, file, "does not exist")
	write(t, file, one.PEM())
	if _, err := r.Pool(); err != nil || !trusts(t, r, one) {
		t.Errorf("the file is back: %v", err)
	}
}

func TestRootsOfADirectory(t *testing.T) {
	one, two, three := certtest.NewAuthority(t), certtest.NewAuthority(t), certtest.NewAuthority(t)
	dir, elsewhere := t.TempDir(), t.TempDir()
	r := certs.NewRoots(dir)
	pool, err := r.Pool()
	if pool != nil {
		t.Error("an empty directory has a pool")
	}
	refused(t, err, dir, "no file with a certificate")

	write(t, filepath.Join(elsewhere, "one.crt"), one.PEM())
	symlink(t, filepath.Join(elsewhere, "one.crt"), filepath.Join(dir, "9d66eef0.0"))
	write(t, filepath.Join(dir, "two.pem"), two.PEM())
	write(t, filepath.Join(dir, "README"), []byte("put roots here"))
	mkdir(t, filepath.Join(dir, "below"))
	write(t, filepath.Join(dir, "below", "three.pem"), three.PEM())
	if !trusts(t, r, one) || !trusts(t, r, two) || trusts(t, r, three) {
		t.Error("the wrong ones are trusted")
	}
	first, _ := r.Pool()
	if again, err := r.Pool(); again != first || err != nil {
		t.Errorf("what has not changed is another pool (%v)", err)
	}
	must(t, os.Remove(filepath.Join(dir, "two.pem")))
	if trusts(t, r, two) || !trusts(t, r, one) {
		t.Error("a root that was taken away is trusted still")
	}
	must(t, os.Remove(filepath.Join(dir, "9d66eef0.0")))
	pool, err = r.Pool()
	refused(t, err, "no file with a certificate")
	if pool == nil {
		t.Error("the old roots are forgotten")
	}
}

func TestRootsThatAreNot(t *testing.T) {
	dir := t.TempDir()
	certPEM, keyPEM := certtest.NewAuthority(t).Issue(certtest.Spec{})
	for name, data := range map[string][]byte{"key": keyPEM, "broken": certPEM[:99], "empty": nil, "large": make([]byte, 1<<20+1)} {
		path := filepath.Join(dir, name)
		write(t, path, data)
		pool, err := certs.NewRoots(path).Pool()
		if pool != nil {
			t.Errorf("%s has a pool", name)
		}
		refused(t, err, path)
		var fileError *certs.FileError
		if !errors.As(err, &fileError) || fileError.Which != "trustRoots" {
			t.Errorf("%s: %+v", name, fileError)
		}
	}
}

func TestInspectionOfRoots(t *testing.T) {
	now := time.Now()
	good := certtest.NewAuthority(t)
	old := certtest.NewAuthorityFor(t, certtest.Spec{CommonName: "old", NotAfter: now.Add(-time.Hour)})
	odd := []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	_, keyPEM := good.Issue(certtest.Spec{})
	dir := t.TempDir()
	tests := map[string]struct {
		data []byte
		want []string // level and words of it
	}{
		"one":         {good.PEM(), []string{"note: 1 root: certtest root"}},
		"two":         {append(good.PEM(), old.PEM()...), []string{"warning: CN=old, which has expired", "note: 2 roots"}},
		"all expired": {old.PEM(), []string{"warning: CN=old, which has expired", "error: no root that has not expired", "note: 1 root"}},
		"one is odd":  {append(odd, good.PEM()...), []string{"warning: it is not trusted", "note: 1 root"}},
		"with a key":  {append(keyPEM, good.PEM()...), []string{"warning: private key", "note: 1 root"}},
		"nothing":     {[]byte("x"), []string{"error: not a PEM file"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			write(t, path, test.data)
			compare(t, certs.NewRoots(path).Inspect(now), test.want)
		})
	}
	compare(t, certs.NewRoots(filepath.Join(dir, "none")).Inspect(now), []string{"error: does not exist"})
	compare(t, certs.NewRoots(dir).Inspect(now), []string{
		"warning: expired", "warning: it is not trusted", "warning: private key", "note: 1 file without", "note: 2 roots",
	})
	compare(t, certs.NewRoots(t.TempDir()).Inspect(now), []string{"error: no file with a certificate"})
}
