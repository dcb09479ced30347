package certs_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/certs/certtest"
)

// compare wants problems of these levels with these words, in any order.
func compare(t *testing.T, problems []certs.Problem, want []string) {
	t.Helper()
	left := slices.Clone(problems)
	for _, w := range want {
		level, words, _ := strings.Cut(w, ": ")
		i := slices.IndexFunc(left, func(p certs.Problem) bool { return p.Level.String() == level && strings.Contains(p.Message, words) })
		if i < 0 {
			t.Errorf("nothing is said like %q", w)
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, p := range left {
		t.Errorf("unexpected: %s: %s: %s", p.Which, p.Level, p.Message)
	}
	for _, p := range problems {
		if p.Which == "" || strings.ContainsAny(p.Message, "\n") || strings.Contains(p.Message, "%!") {
			t.Errorf("badly put: %+v", p)
		}
	}
}

func TestInspectionOfAPair(t *testing.T) {
	now := time.Now()
	root := certtest.NewAuthority(t)
	names := []string{"a.example", "192.0.2.1"}
	whole := "note: for a.example, 192.0.2.1"
	incomplete := "warning: the chain ends at CN=a.example"
	tests := map[string]struct {
		spec certtest.Spec
		want []string
	}{
		"in order": {certtest.Spec{Names: names}, []string{whole, incomplete}},
		"through an intermediate": {certtest.Spec{Names: names, Intermediate: true},
			[]string{whole, "warning: the chain ends at CN=certtest intermediate, and its issuer (CN=certtest root)"}},
		"self-signed":     {certtest.Spec{Names: names, SelfSigned: true}, []string{"note: self-signed"}},
		"expired":         {certtest.Spec{Names: names, NotAfter: now.Add(-time.Hour)}, []string{"note: expired on", "error: has expired on", incomplete}},
		"not yet valid":   {certtest.Spec{Names: names, NotBefore: now.Add(time.Hour)}, []string{"note: valid from", "error: is not valid before", incomplete}},
		"13 days left":    {certtest.Spec{Names: names, NotAfter: now.Add(13*24*time.Hour + time.Hour)}, []string{"note: 13 days left", "warning: expires in 13 days", incomplete}},
		"1 day left":      {certtest.Spec{Names: names, NotAfter: now.Add(25 * time.Hour)}, []string{"note: 1 day left", "warning: expires in 1 day,", incomplete}},
		"no name":         {certtest.Spec{CommonName: "a.example"}, []string{"note: CN=a.example, issued", "warning: for no DNS name", incomplete, "error: no certificate is for a.example: they are for no name at all"}},
		"another name":    {certtest.Spec{CommonName: "a.example", Names: []string{"b.example"}}, []string{"note: for b.example", incomplete, "error: no certificate is for a.example: they are for b.example"}},
		"a weak key":      {certtest.Spec{Names: names, Key: certtest.WeakRSA}, []string{"note: RSA with 1024 bits", "warning: weak key", incomplete}},
		"Ed25519":         {certtest.Spec{Names: names, Key: certtest.Ed25519}, []string{"note: Ed25519", incomplete}},
		"P-384, wildcard": {certtest.Spec{Names: []string{"*.example"}, CommonName: "a.example", Key: certtest.P384}, []string{"note: ECDSA on P-384", incomplete}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			certFile, keyFile, _ := root.WritePair(test.spec)
			s := certs.NewStore("", certs.Files{Certificate: certFile, PrivateKey: keyFile})
			problems := s.Inspect(now, "a.example")
			compare(t, problems, test.want)
			for _, p := range problems {
				if p.Which != "certificate" {
					t.Errorf("%q is about %s", p.Message, p.Which)
				}
			}
		})
	}
}

func TestInspectionOfChains(t *testing.T) {
	now := time.Now()
	root := certtest.NewAuthority(t)
	upper := root.NewIntermediate("upper")
	lower := upper.NewIntermediate("lower")
	old := certtest.NewAuthorityFor(t, certtest.Spec{CommonName: "old root", NotAfter: now.Add(-time.Hour)})
	leaf, key := lower.Issue(certtest.Spec{Names: []string{"a.example"}, LeafOnly: true})
	oldLeaf, oldKey := old.NewIntermediate("old").Issue(certtest.Spec{Names: []string{"a.example"}})
	stranger := certtest.NewAuthorityFor(t, certtest.Spec{CommonName: "stranger"}).PEM()
	note := "note: for a.example"
	tests := map[string]struct {
		cert, key, chain []byte
		want             []string
		which            string // of what is not a note
	}{
		"with the root":       {slices.Concat(leaf, lower.PEM(), upper.PEM(), root.PEM()), key, nil, []string{note, "note: need not be sent"}, ""},
		"in two files":        {leaf, key, slices.Concat(lower.PEM(), upper.PEM(), root.PEM()), []string{note, "note: chain has the root"}, ""},
		"in the wrong order":  {slices.Concat(leaf, upper.PEM(), lower.PEM()), key, nil, []string{note, "warning: wrong order", "warning: the chain ends at CN=upper"}, "certificate"},
		"with a hole":         {slices.Concat(leaf, upper.PEM()), key, nil, []string{note, "warning: the chain ends at CN=a.example", "warning: CN=upper, which is not part"}, "certificate"},
		"with a stranger":     {slices.Concat(leaf, lower.PEM(), upper.PEM(), root.PEM()), key, stranger, []string{note, "note: need not", "warning: chain has CN=stranger, which is not part"}, "chain"},
		"expired higher up":   {oldLeaf, oldKey, old.PEM(), []string{note, "error: CN=old) has expired", "error: CN=old root) has expired", "note: need not"}, ""},
		"chain is no PEM":     {leaf, key, []byte("x"), []string{note, "error: chain has no line", "warning: the chain ends"}, ""},
		"key of another":      {leaf, oldKey, nil, []string{note, "error: does not match", "warning: the chain ends"}, ""},
		"no certificate":      {key, key, nil, []string{"error: has no certificate"}, "certificate"},
		"no certificate, key": {[]byte("x"), leaf, nil, []string{"error: not a PEM", "error: has no private key"}, ""},
		"no key":              {leaf, leaf, nil, []string{note, "error: has no private key", "warning: the chain ends"}, ""},
		"encrypted": {leaf, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"), nil,
			[]string{note, "error: openssl pkey -in OLD -out NEW", "warning: the chain ends"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files := certs.Files{Certificate: filepath.Join(dir, "cert"), PrivateKey: filepath.Join(dir, "key")}
			write(t, files.Certificate, test.cert)
			write(t, files.PrivateKey, test.key)
			if test.chain != nil {
				files.Chain = filepath.Join(dir, "chain")
				write(t, files.Chain, test.chain)
			}
			problems := certs.NewStore("", files).Inspect(now)
			compare(t, problems, test.want)
			for _, p := range problems {
				if p.Level != certs.Note && test.which != "" && p.Which != test.which {
					t.Errorf("%q is about %s, want %s", p.Message, p.Which, test.which)
				}
			}
		})
	}
}

func TestInspectionOfMissingFiles(t *testing.T) {
	dir := t.TempDir()
	none := func(name string) string { return filepath.Join(dir, name) }
	files := certs.Files{Certificate: none("cert"), PrivateKey: none("key"), Chain: none("chain")}
	problems := certs.NewStore("", files).Inspect(time.Now(), "a.example")
	compare(t, problems, []string{"error: cert does not exist", "error: key does not exist", "error: chain does not exist"})
	for i, which := range []string{"certificate", "privateKey", "chain"} {
		if problems[i].Which != which {
			t.Errorf("%+v, want %s", problems[i], which)
		}
	}
	_, key := certtest.NewAuthority(t).Issue(certtest.Spec{})
	write(t, none("key"), key)
	must(t, os.Chmod(none("key"), 0o604))
	want := []string{"error: cert does not exist"}
	if runtime.GOOS != "windows" {
		want = append(want, "warning: key has a private key and may be read by everybody")
	}
	compare(t, certs.NewStore("", certs.Files{Certificate: none("cert"), PrivateKey: none("key")}).Inspect(time.Now()), want)
	compare(t, certs.NewStore("").Inspect(time.Now()), []string{"error: no certificate is named"})
	compare(t, certs.NewStore(none("dir")).Inspect(time.Now()), []string{"error: does not exist"})
}

func TestInspectionOfKeysThatOthersCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes here")
	}
	certFile, keyFile, _ := certtest.WritePair(t, "a.example")
	both := []string{"note: a.example", "warning: the chain ends"}
	for mode, want := range map[os.FileMode][]string{
		0o600: both, 0o400: both,
		0o640: append(both[:2:2], "warning: may be read by its group"),
		0o644: append(both[:2:2], "warning: may be read by everybody"),
	} {
		must(t, os.Chmod(keyFile, mode))
		must(t, os.Chmod(certFile, 0o644)) // no matter
		compare(t, certs.NewStore("", certs.Files{Certificate: certFile, PrivateKey: keyFile}).Inspect(time.Now()), want)
	}
}

func TestInspectionOfADirectory(t *testing.T) {
	p, now := newPairs(t), time.Now()
	root := filepath.Join(p.dir, "root.pem")
	write(t, root, p.authority.PEM())
	p.write("old", certtest.Spec{Names: []string{"a.example"}, NotAfter: now.Add(-time.Hour)})
	p.write("new", certtest.Spec{Names: []string{"a.example"}, Intermediate: true})
	compare(t, certs.NewStore(p.dir).Inspect(now, "a.example"), []string{"note: new.pem: CN=a.example", "note: new.pem is used for these names"})

	certPEM, keyPEM := p.authority.Issue(certtest.Spec{Names: []string{"b.example"}})
	_, otherKey := p.authority.Issue(certtest.Spec{})
	write(t, filepath.Join(p.dir, "b-cert.pem"), certPEM)
	write(t, filepath.Join(p.dir, "c-key.pem"), otherKey)
	write(t, filepath.Join(p.dir, "d-broken.pem"), keyPEM[:99])
	write(t, filepath.Join(p.dir, "e-foreign.pem"), []byte("x"))
	must(t, os.Remove(root))
	problems := certs.NewStore(p.dir).Inspect(now, "b.example")
	compare(t, problems, []string{
		"note: new.pem: CN=a.example", "note: new.pem is used for these names", "warning: new.pem: the chain ends at CN=certtest intermediate",
		"note: whose key is not in the directory", "warning: c-key.pem has a private key that no certificate",
		"error: d-broken.pem has a block in line 1 that is broken", "warning: e-foreign.pem has no line",
		"error: no certificate is for b.example: they are for a.example",
	})
	for _, problem := range problems {
		if problem.Which != "path" {
			t.Errorf("%+v is not about the path", problem)
		}
	}
}

func TestInspectDoesNotChangeWhatIsServed(t *testing.T) {
	certFile, keyFile, _ := certtest.WritePair(t, "a.example")
	s := certs.NewStore("", certs.Files{Certificate: certFile, PrivateKey: keyFile})
	before := mustLoad(t, s)
	s.Inspect(time.Now())
	if after := mustLoad(t, s); after[0] != before[0] {
		t.Error("another certificate is served")
	}
}

func TestExpiresSoon(t *testing.T) {
	end := time.Date(2030, 1, 15, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		before time.Duration
		days   int
		soon   bool
	}{
		{365 * 24 * time.Hour, 365, false}, {14 * 24 * time.Hour, 14, false}, {14*24*time.Hour - 1, 13, true},
		{24 * time.Hour, 1, true}, {time.Hour, 0, true}, {0, 0, true}, {-1, -1, true}, {-25 * time.Hour, -2, true},
	}
	for _, test := range tests {
		days, soon := certs.ExpiresSoon(&x509.Certificate{NotAfter: end}, end.Add(-test.before))
		if days != test.days || soon != test.soon {
			t.Errorf("%v before the end: %d, %v, want %d, %v", test.before, days, soon, test.days, test.soon)
		}
	}
}
