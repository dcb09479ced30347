package certs

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
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

// Where the system gives no watch the report says so, and the files are looked at at every use.
func TestWithoutAWatchFilesAreLookedAtAtEveryUse(t *testing.T) {
	tests := map[string]func() (*fsnotify.Watcher, error){
		"no watcher": func() (*fsnotify.Watcher, error) { return nil, errors.New("too many of them") },
		"a watcher that takes nothing": func() (*fsnotify.Watcher, error) {
			w, err := fsnotify.NewWatcher()
			if err == nil {
				err = w.Close()
			}
			return w, err
		},
	}
	for name, newWatcher := range tests {
		t.Run(name, func(t *testing.T) {
			files := oldPair(t, "one.example")
			s := NewStore("", files)
			s.platform.newWatcher = newWatcher
			var reports []error
			stop := s.Watch(func(err error) { reports = append(reports, err) })
			defer stop()
			if len(reports) != 1 || !errors.Is(reports[0], ErrUnwatched) || strings.Contains(reports[0].Error(), "\n") {
				t.Errorf("reported: %v", reports)
			}
			serves(t, s, "one.example")
			certPEM, keyPEM := certtest.NewAuthority(t).Issue(certtest.Spec{CommonName: "two"})
			certtest.WriteFile(t, files.Certificate, certPEM)
			certtest.WriteFile(t, files.PrivateKey, keyPEM)
			serves(t, s, "two")
		})
	}
}

// Under a watch a handshake waits for nobody: not for the lock under which the files are read, nor for a system call.
func TestForServerTakesNoLockUnderAWatch(t *testing.T) {
	s := NewStore("", oldPair(t, "a.example"))
	stop := s.Watch(func(err error) { t.Errorf("reported: %v", err) })
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	serves(t, s, "a.example")
	hello := &tls.ClientHelloInfo{ServerName: "a.example"}
	if n := testing.AllocsPerRun(100, func() { _, _ = s.ForServer(hello) }); n != 0 {
		t.Errorf("it allocates %v times", n)
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

func TestChangesShowInThesePlaces(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(elements ...string) string { return filepath.Join(append([]string{top}, elements...)...) }
	for _, dir := range []string{at("real", "..one"), at("archive")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	certtest.WriteFile(t, at("real", "..one", "cert.pem"), nil)
	for link, target := range map[string]string{
		at("volume"):             "real",
		at("real", "..data"):     "..one",
		at("real", "cert.pem"):   filepath.Join("..data", "cert.pem"),
		at("archive", "abs.pem"): at("volume", "cert.pem"),
		at("loop"):               "loop",
		at("up"):                 filepath.Join("real", "..", "archive", ".", "gone.pem"),
	} {
		err := os.Symlink(target, link)
		testenv.Need(t, err == nil, "the right to make symbolic links")
	}
	kubernetes := []string{"real:..data", "real:cert.pem", "real/..one:cert.pem", ":volume"}
	tests := map[string][]string{
		at("volume", "cert.pem"):                kubernetes,
		at("archive", "abs.pem"):                append([]string{"archive:abs.pem"}, kubernetes...),
		at("archive", "none.pem"):               {"archive:none.pem"},
		at("archive", "not", "yet", "c.pem"):    {"archive:not"},
		at("up"):                                {":up", "archive:gone.pem"},
		at("loop"):                              {":loop"},
		at("archive", "..", "archive", "c.pem"): {"archive:c.pem"},
	}
	for path, want := range tests {
		p := places{}
		p.followFile(path)
		var got []string
		for dir, names := range p {
			for name := range names {
				got = append(got, filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(dir, top), string(filepath.Separator)))+":"+name)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		for dir, names := range p {
			for name := range names {
				covers := func(path string) bool { return p.covers(fsnotify.Event{Name: path, Op: fsnotify.Write}) }
				if !covers(filepath.Join(dir, name)) || !covers(dir) || covers(filepath.Join(dir, name+"x")) {
					t.Errorf("%s: what covers %s in %s is wrong", path, name, dir)
				}
			}
		}
	}
}

func TestChangesThatCountInADirectory(t *testing.T) {
	p := places{}
	p.add("/certs", allNames)
	for event, want := range map[fsnotify.Event]bool{
		{Name: "/certs/a.pem", Op: fsnotify.Write}:       true,
		{Name: "/certs/a.pem", Op: fsnotify.Chmod}:       true,
		{Name: "/certs/log", Op: fsnotify.Write}:         false,
		{Name: "/certs/..data", Op: fsnotify.Create}:     true,
		{Name: "/certs/below", Op: fsnotify.Remove}:      true,
		{Name: "/certs", Op: fsnotify.Remove}:            true,
		{Name: "/other/a.pem", Op: fsnotify.Write}:       false,
		{Name: "/certs/below/a.pem", Op: fsnotify.Write}: false, // below is watched on its own
	} {
		event.Name = filepath.FromSlash(event.Name)
		if p.covers(event) != want {
			t.Errorf("%v counts: %v", event, !want)
		}
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
