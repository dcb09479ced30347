package certs_test

import (
	"crypto"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/certs/certtest"
)

// Twisted's own test of PEMObjects: leaves with chains of different lengths, every object in a file of its own, the
// files in two directories. Roots and intermediates of other leaves are in no chain.
func TestADirectoryOfLooseObjectsIsPutTogether(t *testing.T) {
	root := certtest.NewAuthority(t)
	im1, im2 := root.NewIntermediate("im1"), root.NewIntermediate("im2")
	im3 := im2.NewIntermediate("im3")
	dir := t.TempDir()
	mkdir(t, filepath.Join(dir, "xyz"))
	objects := [][]byte{root.PEM(), im1.PEM(), im2.PEM(), im3.PEM()}
	for name, authority := range map[string]*certtest.Authority{"domain1.example": im1, "domain2.example": im3, "domain3.example": root} {
		certPEM, keyPEM := authority.Issue(certtest.Spec{Names: []string{name}, LeafOnly: true})
		objects = append(objects, certPEM, keyPEM)
	}
	for i, object := range objects {
		at := dir
		if i%2 == 0 {
			at = filepath.Join(dir, "xyz")
		}
		write(t, filepath.Join(at, "object-"+string(rune('a'+i))+".pem"), object)
	}
	s := certs.NewStore(dir)
	if n := len(mustLoad(t, s)); n != 3 {
		t.Errorf("there are %d pairs", n)
	}
	for name, chain := range map[string]string{
		"domain1.example": "/domain1.example/im1",
		"domain2.example": "/domain2.example/im3/im2",
		"domain3.example": "/domain3.example",
	} {
		c, err := s.ForServer(hello(name))
		if err != nil {
			t.Fatal(err)
		}
		if got := chainOf(t, c); got != chain {
			t.Errorf("the chain of %s is %s, want %s", name, got, chain)
		}
	}
}

func TestCertbotsLiveDirectory(t *testing.T) {
	top := t.TempDir()
	authority := certtest.NewAuthority(t).NewIntermediate("im")
	for _, domain := range []string{"a.example", "b.example"} {
		archive, live := filepath.Join(top, "archive", domain), filepath.Join(top, "live", domain)
		mkdir(t, archive)
		mkdir(t, live)
		full, key := authority.Issue(certtest.Spec{Names: []string{domain}})
		for file, data := range map[string][]byte{
			"fullchain": full, "cert": full[:len(full)-len(authority.PEM())], "chain": authority.PEM(), "privkey": key,
		} {
			write(t, filepath.Join(archive, file+"1.pem"), data)
			symlink(t, filepath.Join("..", "..", "archive", domain, file+"1.pem"), filepath.Join(live, file+".pem"))
		}
	}
	certtest.WriteFile(t, filepath.Join(top, "live", "README"), []byte("This directory contains your keys."))
	for _, dir := range []string{filepath.Join(top, "live"), top} {
		s := certs.NewStore(dir)
		if n := len(mustLoad(t, s)); n != 2 {
			t.Errorf("%s has %d pairs", dir, n)
		}
		for _, domain := range []string{"a.example", "b.example"} {
			c, err := s.ForServer(hello(domain))
			if err != nil {
				t.Fatal(err)
			}
			if got := chainOf(t, c); got != "/"+domain+"/im" {
				t.Errorf("the chain is %s", got)
			}
		}
	}
}

func TestWhatIsReadOfADirectory(t *testing.T) {
	p := newPairs(t)
	p.write("good", certtest.Spec{Names: []string{"good.example"}})
	certPEM, keyPEM := p.authority.Issue(certtest.Spec{Names: []string{"not.read.example"}})
	for _, name := range []string{"pair.PEM", "pair.crt", "pair", ".pem.bak"} {
		write(t, filepath.Join(p.dir, name), certPEM, keyPEM)
	}
	mkdir(t, filepath.Join(p.dir, "directory.pem"))
	symlink(t, "..", filepath.Join(p.dir, "directory.pem", "loop"))
	symlink(t, "nowhere", filepath.Join(p.dir, "dangling"))
	write(t, filepath.Join(p.dir, "directory.pem", "dh.pem"), []byte("-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n"))
	if got := commonNames(mustLoad(t, certs.NewStore(p.dir))); got != "good.example" {
		t.Errorf("it has %q", got)
	}
}

func TestOneBrokenFileDoesNotSpoilADirectory(t *testing.T) {
	_, keyPEM := certtest.NewAuthority(t).Issue(certtest.Spec{})
	tests := map[string][]byte{
		"is not a PEM file":      []byte("hello"),
		"is empty":               {},
		"larger than":            make([]byte, 1<<20+1),
		"is broken":              []byte("-----BEGIN CERTIFICATE-----\nAAAA\n"),
		"encrypted":              []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
		"that is not a private":  []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
		"own trusted form":       []byte("-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n"),
		"is DER":                 certtest.NewAuthority(t).Certificate.Raw,
		"a private key, nothing": keyPEM,
	}
	for word, data := range tests {
		p := newPairs(t)
		p.write("good", certtest.Spec{Names: []string{"good.example"}})
		write(t, filepath.Join(p.dir, "a-foreign.pem"), data)
		s := certs.NewStore(p.dir)
		loaded, err := s.Load()
		if commonNames(loaded) != "good.example" {
			t.Errorf("%s: there is %q", word, commonNames(loaded))
		}
		if word == "a private key, nothing" {
			if err != nil {
				t.Errorf("a key more is no error: %v", err)
			}
			continue
		}
		refused(t, err, "a-foreign.pem", word)
		if _, again := s.Load(); again == nil || again.Error() != err.Error() {
			t.Errorf("then it is %v", again)
		}
	}
}

func TestADirectoryWithoutPairs(t *testing.T) {
	p := newPairs(t)
	_, err := certs.NewStore(filepath.Join(p.dir, "none")).Load()
	refused(t, err, "does not exist")
	_, err = certs.NewStore(p.dir).Load()
	refused(t, err, p.dir, "no certificate with its key")
	certPEM, _ := p.authority.Issue(certtest.Spec{})
	write(t, filepath.Join(p.dir, "cert.pem"), certPEM)
	_, err = certs.NewStore(p.dir).Load()
	refused(t, err, "no certificate with its key")
	_, err = certs.NewStore(filepath.Join(p.dir, "cert.pem")).Load()
	refused(t, err, "is not a directory")
}

func TestADirectoryKeepsWhatIsBeingReplaced(t *testing.T) {
	authority := certtest.NewAuthority(t)
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	issue(t, authority, a, "a.example")
	issue(t, authority, b, "b.example")
	s := certs.NewStore(dir)
	mustLoad(t, s)
	have := func(want string, words ...string) {
		t.Helper()
		loaded, err := s.Load()
		if got := commonNames(loaded); got != want {
			t.Errorf("there is %q, want %q (%v)", got, want, err)
		}
		if len(words) > 0 {
			refused(t, err, words...)
		} else if err != nil {
			t.Error(err)
		}
	}

	// The certificate comes before its key.
	certPEM, keyPEM := authority.Issue(certtest.Spec{CommonName: "new", Names: []string{"a.example"}})
	certtest.WriteFile(t, filepath.Join(a, "cert.pem"), certPEM)
	have("b.example a.example", filepath.Join(a, "cert.pem"), "CN=new", "old pair")
	have("b.example a.example", "old pair")
	certtest.WriteFile(t, filepath.Join(a, "key.pem"), keyPEM)
	have("new b.example")

	// The file is broken, then there again.
	certtest.WriteFile(t, filepath.Join(b, "key.pem"), keyPEM[:50])
	have("new b.example", filepath.Join(b, "key.pem"), "is broken")
	issue(t, authority, b, "c.example")
	have("new c.example")

	// The key comes before its certificate.
	_, keyPEM = authority.Issue(certtest.Spec{})
	certtest.WriteFile(t, filepath.Join(b, "key.pem"), keyPEM)
	have("new c.example", "old pair")

	// A pair that is taken away is gone, but for the last one.
	must(t, os.RemoveAll(b))
	have("new")
	must(t, os.RemoveAll(a))
	have("new", "no certificate with its key")
	must(t, os.RemoveAll(dir))
	have("new", "does not exist")
	issue(t, authority, a, "d.example")
	have("d.example")
}

// A key that is used again after a renewal, as by certbot --reuse-key, with the old certificate still there.
func TestTheNewestCertificateOfAReusedKey(t *testing.T) {
	p := newPairs(t)
	now, names := time.Now(), []string{"a.example"}
	old := p.authority.NewCertificate(certtest.Spec{CommonName: "old", Names: names, NotBefore: now.AddDate(0, 0, -60), NotAfter: now.AddDate(0, 0, 20)})
	key := old.PrivateKey.(crypto.Signer)
	newer, keyPEM := p.authority.Issue(certtest.Spec{CommonName: "new", Names: names, Signer: key})
	for file, data := range map[string][]byte{"1-new": newer, "2-old": certtest.CertificatePEM(old.Certificate...), "3-key": keyPEM} {
		write(t, filepath.Join(p.dir, file+".pem"), data)
	}
	if got := chosen(t, certs.NewStore(p.dir), hello("a.example")); got != "new" {
		t.Errorf("%q is served", got)
	}
}
