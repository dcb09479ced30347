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

// No watch tells that a directory far above was renamed and another one put in its place.
func TestAWatchLooksAtTheFilesNowAndThenToo(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "a", "b", "c")
	authority := certtest.NewAuthority(t)
	pair := filepath.Join(dir, "pair.pem")
	issue := func(name string) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		certPEM, keyPEM := authority.Issue(certtest.Spec{Names: []string{name}})
		certtest.WriteFile(t, pair, append(certPEM, keyPEM...))
	}
	issue("one.example")
	s := NewStore("", Files{Certificate: pair})
	s.platform.relook = 10 * time.Millisecond
	reports := make(chan error, 100)
	stop := s.Watch(func(err error) { reports <- err })
	defer stop()
	if err := os.Rename(filepath.Join(top, "a"), filepath.Join(top, "z")); err != nil {
		t.Fatal(err)
	}
	issue("two.example")
	deadline := time.After(time.Minute)
	for {
		select {
		case err := <-reports:
			if err == nil {
				serves(t, s, "two.example")
				return
			}
		case <-deadline:
			t.Fatal("the change was not seen")
		}
	}
}

// That the notifier is closed by stop is nothing to tell.
func TestStopIsNoFailureOfTheWatch(t *testing.T) {
	files := oldPair(t, "a.example")
	data, err := os.ReadFile(files.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	s := NewStore("", files)
	s.platform.relook = 50 * time.Microsecond
	for range 50 {
		stop := s.Watch(func(err error) { t.Errorf("reported: %v", err) })
		certtest.WriteFile(t, files.Certificate+".other", data)
		stop()
	}
	if n := s.watching.Load(); n != 0 {
		t.Errorf("%d watches are counted", n)
	}
}

func TestADirectoryMakesFilesMeaningless(t *testing.T) {
	files := oldPair(t, "a.example")
	s := NewStore(filepath.Dir(files.Certificate), Files{Certificate: "none"})
	serves(t, s, "a.example")
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
