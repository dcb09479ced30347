package certs_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A watched store tells its reports to a test.
type watched struct {
	*certs.Store
	t       *testing.T
	reports chan error
}

func watch(t *testing.T, s *certs.Store) *watched {
	t.Helper()
	w := &watched{s, t, make(chan error, 100)}
	stop := s.Watch(func(err error) { w.reports <- err })
	t.Cleanup(stop)
	return w
}

// waitFor takes reports until one is as wanted.
func (w *watched) waitFor(what string, wanted func(error) bool) {
	w.t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case err := <-w.reports:
			if wanted(err) {
				return
			}
			w.t.Logf("reported meanwhile: %v", err)
		case <-deadline:
			w.t.Fatalf("%s was not reported", what)
		}
	}
}

// waitForName waits until the store serves a certificate of the common name, after a good reload.
func (w *watched) waitForName(name string) {
	w.t.Helper()
	w.waitFor(name, func(err error) bool { return err == nil && w.name() == name })
}

func (w *watched) waitForFault() {
	w.t.Helper()
	w.waitFor("a fault", func(err error) bool { return err != nil })
}

func (w *watched) name() string {
	w.t.Helper()
	c, err := w.ForServer(&tls.ClientHelloInfo{})
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Leaf.Subject.CommonName
}

func (w *watched) serves(name string) {
	w.t.Helper()
	if got := w.name(); got != name {
		w.t.Errorf("%q is served, want %q", got, name)
	}
}

// issue writes cert.pem and key.pem into dir.
func issue(t *testing.T, authority *certtest.Authority, dir, name string) {
	t.Helper()
	certPEM, keyPEM := authority.Issue(certtest.Spec{Names: []string{name}})
	mkdir(t, dir)
	certtest.WriteFile(t, filepath.Join(dir, "cert.pem"), certPEM)
	certtest.WriteFile(t, filepath.Join(dir, "key.pem"), keyPEM)
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o700))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	err := os.Symlink(target, path)
	testenv.Need(t, err == nil, fmt.Sprintf("the right to make symbolic links: %v", err))
}

func filesIn(dir string) certs.Files {
	return certs.Files{Certificate: filepath.Join(dir, "cert.pem"), PrivateKey: filepath.Join(dir, "key.pem")}
}

func TestWatchSeesFilesWrittenAndRenamed(t *testing.T) {
	authority := certtest.NewAuthority(t)
	dir := filepath.Join(t.TempDir(), "live")
	issue(t, authority, dir, "one.example")
	w := watch(t, certs.NewStore("", filesIn(dir)))
	w.serves("one.example")

	issue(t, authority, dir, "two.example")
	w.waitForName("two.example")

	next := filepath.Join(t.TempDir(), "next")
	issue(t, authority, next, "three.example")
	for _, name := range []string{"cert.pem", "key.pem"} {
		must(t, os.Rename(filepath.Join(next, name), filepath.Join(dir, name)))
	}
	w.waitForName("three.example")
}

func TestWatchKeepsTheOldCertificateWhereTheNewOneIsBroken(t *testing.T) {
	authority := certtest.NewAuthority(t)
	dir := filepath.Join(t.TempDir(), "live")
	issue(t, authority, dir, "one.example")
	w := watch(t, certs.NewStore("", filesIn(dir)))

	certtest.WriteFile(t, filepath.Join(dir, "cert.pem"), []byte("-----BEGIN CERTIFICATE-----\nAAA"))
	w.waitForFault()
	w.serves("one.example")
	issue(t, authority, dir, "two.example")
	w.waitForName("two.example")
}

// A Kubernetes volume: the files are links into ..data, which is a link that is swapped for one to another directory.
func TestWatchSeesKubernetesSwap(t *testing.T) {
	authority := certtest.NewAuthority(t)
	dir := t.TempDir()
	issue(t, authority, filepath.Join(dir, "..one"), "one.example")
	symlink(t, "..one", filepath.Join(dir, "..data"))
	for _, name := range []string{"cert.pem", "key.pem"} {
		symlink(t, filepath.Join("..data", name), filepath.Join(dir, name))
	}
	for kind, store := range map[string]*certs.Store{"files": certs.NewStore("", filesIn(dir)), "directory": certs.NewStore(dir)} {
		t.Run(kind, func(t *testing.T) {
			w := watch(t, store)
			before := w.name()
			for _, name := range []string{"two.example", "three.example", "one.example"} {
				at := "..at-" + kind + name
				issue(t, authority, filepath.Join(dir, at), name)
				symlink(t, at, filepath.Join(dir, "..data_tmp"))
				old, err := os.Readlink(filepath.Join(dir, "..data"))
				must(t, err)
				must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
				must(t, os.RemoveAll(filepath.Join(dir, old)))
				if name != before {
					w.waitForName(name)
				}
				before = name
			}
		})
	}
}

// certbot: live/NAME/cert.pem is a link to ../../archive/NAME/certN.pem, made anew for each N.
func TestWatchSeesCertbotsLinks(t *testing.T) {
	authority := certtest.NewAuthority(t)
	top := t.TempDir()
	archive, live := filepath.Join(top, "archive", "x"), filepath.Join(top, "live", "x")
	mkdir(t, archive)
	mkdir(t, live)
	renew := func(n, name string) {
		certPEM, keyPEM := authority.Issue(certtest.Spec{Names: []string{name}})
		for kind, data := range map[string][]byte{"cert": certPEM, "key": keyPEM} {
			certtest.WriteFile(t, filepath.Join(archive, kind+n+".pem"), data)
			link := filepath.Join(live, kind+".pem")
			_ = os.Remove(link)
			symlink(t, filepath.Join("..", "..", "archive", "x", kind+n+".pem"), link)
		}
	}
	renew("1", "one.example")
	files, directory := watch(t, certs.NewStore("", filesIn(live))), watch(t, certs.NewStore(filepath.Join(top, "live")))
	for _, w := range []*watched{files, directory} {
		w.serves("one.example")
	}
	renew("2", "two.example")
	files.waitForName("two.example")
	directory.waitForName("two.example")
	// In place, behind the links.
	renew("2", "three.example")
	files.waitForName("three.example")
	directory.waitForName("three.example")
}

func TestWatchSurvivesThatTheDirectoryIsRemovedAndMadeAgain(t *testing.T) {
	authority := certtest.NewAuthority(t)
	top := t.TempDir()
	dir := filepath.Join(top, "a", "b")
	issue(t, authority, dir, "one.example")
	for kind, store := range map[string]*certs.Store{"files": certs.NewStore("", filesIn(dir)), "directory": certs.NewStore(dir)} {
		t.Run(kind, func(t *testing.T) {
			w := watch(t, store)
			before := w.name()
			must(t, os.RemoveAll(filepath.Join(top, "a")))
			w.waitForFault()
			w.serves(before)
			issue(t, authority, dir, kind+"-two.example")
			w.waitForName(kind + "-two.example")

			must(t, os.Rename(dir, dir+".old"))
			issue(t, authority, dir, kind+"-three.example")
			w.waitForName(kind + "-three.example")
		})
	}
}

func TestWatchBeginsWithNothing(t *testing.T) {
	authority := certtest.NewAuthority(t)
	dir := filepath.Join(t.TempDir(), "not", "yet")
	w := watch(t, certs.NewStore(dir))
	w.waitForFault()
	if _, err := w.ForServer(&tls.ClientHelloInfo{}); err == nil {
		t.Error("there is a certificate")
	}
	issue(t, authority, filepath.Join(dir, "sub", "directory"), "one.example")
	w.waitForName("one.example")
}

func TestWatchOfADirectorySeesFilesComeAndGo(t *testing.T) {
	authority := certtest.NewAuthority(t)
	dir := t.TempDir()
	issue(t, authority, filepath.Join(dir, "a"), "a.example")
	w := watch(t, certs.NewStore(dir))
	issue(t, authority, filepath.Join(dir, "b", "c"), "b.example")
	served := func(err error, name string) bool {
		c, errC := w.ForServer(&tls.ClientHelloInfo{ServerName: name})
		return err == nil && errC == nil && c.Leaf.VerifyHostname(name) == nil
	}
	w.waitFor("b.example", func(err error) bool { return served(err, "b.example") })
	must(t, os.RemoveAll(filepath.Join(dir, "b")))
	w.waitFor("the end of b.example", func(err error) bool { return err == nil && !served(err, "b.example") })
	w.serves("a.example")
}

func TestStopMayBeCalledTwiceAndEndsTheReports(t *testing.T) {
	authority := certtest.NewAuthority(t)
	dir := t.TempDir()
	issue(t, authority, dir, "one.example")
	s := certs.NewStore("", filesIn(dir))
	stop := s.Watch(func(err error) { t.Errorf("a report: %v", err) })
	stop()
	stop()
	issue(t, authority, dir, "two.example")
	c, err := s.ForServer(&tls.ClientHelloInfo{})
	if err != nil || c.Leaf.Subject.CommonName != "two.example" {
		t.Errorf("without a watch the files are not looked at: %v, %v", c, err)
	}
	s.Watch(nil)()
}

func TestTwoWatchesOfOneStore(t *testing.T) {
	authority := certtest.NewAuthority(t)
	dir := t.TempDir()
	issue(t, authority, dir, "one.example")
	s := certs.NewStore("", filesIn(dir))
	first, second := watch(t, s), watch(t, s)
	issue(t, authority, dir, "two.example")
	first.waitForName("two.example")
	second.waitForName("two.example")
	if _, err := s.Load(); errors.Is(err, certs.ErrUnwatched) {
		t.Error(err)
	}
}
