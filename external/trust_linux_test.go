package external_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/tcp4"
	"github.com/epctl/endpoint/registry"
)

// PL-01
func TestOnlyWhatNobodyElseCanChangeIsOpened(t *testing.T) {
	for _, tc := range []struct {
		what   string
		change func(t *testing.T, dir, path string) string // returns the path to open
		want   string
	}{
		{"a program", func(_ *testing.T, _, path string) string { return path }, ""},
		{"another name", func(t *testing.T, dir, path string) string {
			return renamed(t, path, filepath.Join(dir, "plugin-tcp"))
		}, "is not called endpoint-plugin-NAME"},
		{"no name", func(t *testing.T, dir, path string) string {
			return renamed(t, path, filepath.Join(dir, "endpoint-plugin-"))
		}, "is not called"},
		{"group can write the file", func(t *testing.T, _, path string) string {
			copied := path + "-copy" // the other is the test itself
			copyFile(t, path, copied, 0o775)
			return copied
		}, "has mode 0775"},
		{"others can write the directory", func(t *testing.T, dir, path string) string { return chmod(t, dir, 0o777, path) }, "has mode 0777"},
		{"others can write a directory above", func(t *testing.T, dir, path string) string {
			return chmod(t, filepath.Dir(dir), 0o757, path)
		}, "has mode 0757"},
		{"a sticky directory", func(t *testing.T, dir, path string) string {
			return chmod(t, dir, 0o777|os.ModeSticky, path)
		}, ""},
		{"a link inside", func(t *testing.T, dir, path string) string {
			return renamedAndLinked(t, path, filepath.Join(dir, "v1"))
		}, ""},
		{"a link out", func(t *testing.T, dir, path string) string {
			return renamedAndLinked(t, path, filepath.Join(filepath.Dir(dir), "escaped"))
		}, "leads out of its directory"},
		{"a directory", func(t *testing.T, dir, _ string) string {
			path := filepath.Join(dir, "endpoint-plugin-dir")
			check(t, os.Mkdir(path, 0o755))
			return path
		}, "is not a regular file"},
		{"nothing", func(_ *testing.T, dir, _ string) string { return filepath.Join(dir, "endpoint-plugin-x") }, "no such file"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "plugins")
			check(t, os.Mkdir(dir, 0o755))
			path := tc.change(t, dir, installIn(t, dir, "tcp"))
			p, err := external.Open(path, external.AllowUnlocked())
			if err == nil {
				defer p.Close()
			}
			switch {
			case tc.want == "" && err != nil:
				t.Error(err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%v; want it to say %s", err, tc.want)
			}
		})
	}
}

// PL-01
func TestAProgramOfAnotherUserIsRefused(t *testing.T) {
	testenv.Root(t)
	path := install(t, "x")
	copied := path + "y"
	copyFile(t, path, copied, 0o755)
	check(t, os.Chown(copied, 12345, 0))
	if _, err := external.Open(copied, external.AllowUnlocked()); err == nil || !strings.Contains(err.Error(), "belongs to user 12345") {
		t.Error(err)
	}
}

// PL-01: neither PATH nor the working directory is looked at.
func TestNothingIsFoundOutsideOfTheDirectory(t *testing.T) {
	elsewhere := filepath.Dir(install(t, "tcp"))
	t.Setenv("PATH", elsewhere)
	t.Chdir(elsewhere)
	d, err := external.OpenDir(t.TempDir())
	if err != nil || len(d.Programs()) != 0 {
		t.Errorf("%v, %v", d.Programs(), err)
	}
	if _, err := external.OpenDir(""); err == nil {
		t.Error("no directory was taken for one")
	}
}

// PL-01: the way to the directory counts as well.
func TestALinkOfAnotherUserIsNotFollowed(t *testing.T) {
	testenv.Root(t)
	path := install(t, "tcp")
	link := filepath.Join(t.TempDir(), "link")
	check(t, os.Symlink(filepath.Dir(path), link))
	p, err := external.Open(filepath.Join(link, filepath.Base(path)), external.AllowUnlocked())
	check(t, err)
	p.Close()
	check(t, os.Lchown(link, 12345, 12345))
	if _, err := external.OpenDir(link); err == nil || !strings.Contains(err.Error(), "belongs to user 12345") {
		t.Error(err)
	}
}

// PL-02
func TestOnlyLockedProgramsAreStarted(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "endpoint-plugin-tcp")
	copyFile(t, installIn(t, dir, "x"), path, 0o755)
	check(t, os.Remove(filepath.Join(dir, "endpoint-plugin-x")))
	if _, err := external.Open(path); err == nil || !strings.Contains(err.Error(), "not in the lock file") {
		t.Errorf("unlocked: %v", err)
	}
	if err := external.Verify(path); err == nil {
		t.Error("an unlocked program is fine")
	}
	check(t, external.Lock(path))
	check(t, external.Verify(path))

	d, err := external.OpenDir(dir)
	check(t, err)
	defer d.Close()
	if pid := d.Programs()[0].PID(); pid != 0 {
		t.Errorf("it runs as %d before it is used", pid)
	}
	r, err := registry.New(d.Plugins()...)
	check(t, err)
	ln := echo(t)
	dial(t, r, clientOf("tcp4", ln))
	d.Close()

	// One bit is another.
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	check(t, err)
	b := make([]byte, 1)
	_, err = f.ReadAt(b, 4096)
	check(t, err)
	b[0] ^= 1
	_, err = f.WriteAt(b, 4096)
	check(t, errors.Join(err, f.Close()))
	for _, opts := range [][]external.Option{nil, {external.AllowUnlocked()}} {
		p, err := external.Open(path, opts...)
		check(t, err) // what it serves is known still
		r, err = registry.New(p.Plugins()...)
		check(t, err)
		var sum *external.ChecksumError
		if _, err := r.NewClient(clientOf("tcp4", ln)); !errors.As(err, &sum) || sum.Path != path {
			t.Errorf("with one bit changed: %v", err)
		}
		p.Close()
	}
	if err := external.Verify(path); err == nil {
		t.Error("a changed program is fine")
	}
	check(t, external.Unlock(path))
	if _, err := external.Open(path); err == nil {
		t.Error("it is locked still")
	}
}

// PL-02
func TestALockFileOfOthersIsRefused(t *testing.T) {
	path := install(t, "tcp")
	lock := filepath.Join(filepath.Dir(path), "endpoint-plugins.lock")
	for _, tc := range []struct {
		text string
		mode os.FileMode
		want string
	}{
		{`{"version":1,"programs":{}}`, 0o666, "has mode 0666"},
		{`{"version":2,"programs":{}}`, 0o644, "is of version 2"},
		{`{"version":`, 0o644, "endpoint-plugins.lock: unexpected EOF"},
		{`{"version":1,"programs":{"endpoint-plugin-tcp":{"sha256":"","description":{}}}}`, 0o644, "serves 0 plugins"},
		{`{"version":1,"programs":{"endpoint-plugin-tcp":{"sha256":"","description":7}}}`, 0o644, "the lock file"},
	} {
		check(t, os.WriteFile(lock, []byte(tc.text), 0o600))
		check(t, os.Chmod(lock, tc.mode))
		if _, err := external.Open(path); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.text, err)
		}
	}
}

// PL-02, and that checking a string starts nothing.
func TestNoStartStartsNothing(t *testing.T) {
	path := install(t, "many")
	if _, err := external.Open(path, external.NoStart(), external.AllowUnlocked()); err == nil {
		t.Error("an unlocked program was described without a start")
	}
	check(t, external.Lock(path))
	p, err := external.Open(path, external.NoStart())
	check(t, err)
	defer p.Close()
	r, err := registry.New(p.Plugins()...)
	check(t, err)
	check(t, r.Check("xor:tcp4:127.0.0.1:80"))
	if err := r.Check("xor:tcp4:127.0.0.1:80:mask=256"); err == nil {
		t.Error("a wrong number is right")
	}
	c, err := r.NewClient("tcp4:127.0.0.1:80")
	check(t, err)
	if _, err := c.Dial(within(t)); err == nil || !strings.Contains(err.Error(), "start nothing") {
		t.Error(err)
	}
	if p.PID() != 0 {
		t.Error("it runs")
	}
}

// PL-11
func TestNamesCantBeTaken(t *testing.T) {
	dir := t.TempDir()
	installIn(t, dir, "tcp")
	installIn(t, dir, "many")
	for range 3 {
		d, err := external.OpenDir(dir, external.AllowUnlocked())
		if err == nil || !strings.Contains(err.Error(), "endpoint-plugin-tcp: the plugin tcp4 is one of ") {
			t.Errorf("two programs: %v", err)
		}
		if len(d.Programs()) != 1 || filepath.Base(d.Programs()[0].Path()) != "endpoint-plugin-many" {
			t.Errorf("%v is left", d.Programs())
		}
		builtin, err := registry.New(tcp4.Plugin)
		check(t, err)
		if _, err := builtin.With(d.Plugins()...); err == nil || !strings.Contains(err.Error(), "tcp4") {
			t.Errorf("a built-in one: %v", err)
		}
		d.Close()
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func renamed(t *testing.T, path, to string) string {
	t.Helper()
	check(t, os.Rename(path, to))
	return to
}

func renamedAndLinked(t *testing.T, path, to string) string {
	t.Helper()
	check(t, os.Rename(path, to))
	check(t, os.Symlink(to, path))
	return path
}

func chmod(t *testing.T, name string, mode os.FileMode, path string) string {
	t.Helper()
	check(t, os.Chmod(name, mode))
	return path
}

func copyFile(t testing.TB, from, to string, mode os.FileMode) {
	t.Helper()
	text, err := os.ReadFile(from)
	check(t, err)
	check(t, os.WriteFile(to, text, mode))
	check(t, os.Chmod(to, mode))
}
