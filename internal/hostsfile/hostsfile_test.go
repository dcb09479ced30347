package hostsfile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/hostsfile"
	"github.com/epctl/endpoint/internal/lookup"
	"github.com/epctl/endpoint/internal/testenv"
)

// flat is a table as text.
func flat(table hostsfile.Table) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(table)) {
		fmt.Fprintf(&b, "%s%v ", name, table[name])
	}
	return strings.TrimSpace(b.String())
}

func TestParse(t *testing.T) {
	many := strings.Repeat("a", 64)
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"a line", "192.0.2.1 a.example", "a.example[192.0.2.1]"},
		{"aliases", "192.0.2.1 a.example a b\n", "a[192.0.2.1] a.example[192.0.2.1] b[192.0.2.1]"},
		{"both families, in the order of the file", "::1 localhost\n127.0.0.1 localhost\n", "localhost[::1 127.0.0.1]"},
		{"tabs and spaces", " \t192.0.2.1 \t a\t\tb \t\n", "a[192.0.2.1] b[192.0.2.1]"},
		{"comments", "# 192.0.2.9 a\n192.0.2.1 a # b\n192.0.2.2 c#d e\n#", "a[192.0.2.1] c[192.0.2.2]"},
		{"lines of Windows", "\ufeff192.0.2.1 a\r\n192.0.2.2 b\r\n", "a[192.0.2.1] b[192.0.2.2]"},
		{"empty lines", "\n\n192.0.2.1 a\n\n", "a[192.0.2.1]"},
		{"case and a dot at the end", "192.0.2.1 Host.Example.", "host.example[192.0.2.1]"},
		{"the same twice", "192.0.2.1 a a\n192.0.2.1 A", "a[192.0.2.1]"},
		{"zones", "fe80::1%lo0 a\nfe80::1%eth0 a", "a[fe80::1%lo0 fe80::1%eth0]"},
		{"IPv4 in the form of IPv6", "::ffff:192.0.2.1 a\n192.0.2.1 a", "a[192.0.2.1]"},
		{"no name", "192.0.2.1\n192.0.2.2 # a", ""},
		{"no address", "example a\n192.0.2 b\n192.0.02.1 c\n192.0.2.1/24 d\n[::1] e\n::1:: f", ""},
		{"no names of hosts", "192.0.2.1 a..b ü 192.0.2.2 a:80 " + many + " ok", "ok[192.0.2.1]"},
		{"what is no text", "\x00\xff\n192.0.2.1 a\x00 b", "b[192.0.2.1]"},
		{"an old line end", "192.0.2.1 a\r192.0.2.2 b", "a[192.0.2.1] b[192.0.2.1]"},
		{"a vertical tab", "192.0.2.1\va", "a[192.0.2.1]"},
	} {
		if got := flat(hostsfile.Parse(test.text)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// A name with very many addresses keeps 1024 of them.
func TestAddressesOfANameAreBounded(t *testing.T) {
	var b strings.Builder
	for a, i := netip.MustParseAddr("2001:db8::"), 0; i < 2000; a, i = a.Next(), i+1 {
		fmt.Fprintf(&b, "%v a\n", a)
	}
	if n := len(hostsfile.Parse(b.String())["a"]); n != 1024 {
		t.Errorf("%d addresses", n)
	}
}

// write writes a file whose modification time is an hour ago and some seconds, so that it says what it says.
func write(t *testing.T, path, text string, seconds int) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	touch(t, path, time.Now().Add(-time.Hour).Truncate(time.Hour).Add(time.Duration(seconds)*time.Second))
}

func touch(t *testing.T, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, f *hostsfile.File) string {
	t.Helper()
	table, err := f.Table()
	if err != nil {
		t.Fatal(err)
	}
	return flat(table)
}

// A change of size, time or identity is seen at once; a file without one is not read.
func TestChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "192.0.2.1 a", 0)
	f := hostsfile.New(path)
	expect := func(what, want string) {
		t.Helper()
		if got := read(t, f); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	expect("at first", "a[192.0.2.1]")
	write(t, path, "192.0.2.2 a", 0)
	expect("changed behind the back of size and time", "a[192.0.2.1]")
	write(t, path, "192.0.2.3 a", 1)
	expect("another time", "a[192.0.2.3]")
	write(t, path, "192.0.2.30 a", 1)
	expect("another size", "a[192.0.2.30]")
	other := path + ".new"
	write(t, other, "192.0.2.40 a", 1)
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	expect("another file in its place", "a[192.0.2.40]")
	write(t, path, "", 1)
	expect("emptied", "")
}

// A file that changed just now may change again and have the same time, so it is read again.
func TestYoungFilesAreReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	f := hostsfile.New(path)
	at := time.Now().Add(time.Hour) // no machine is too slow for that
	for i := range 5 {
		write(t, path, fmt.Sprintf("192.0.2.%d a", i), 0)
		touch(t, path, at)
		if got, want := read(t, f), fmt.Sprintf("a[192.0.2.%d]", i); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A file that goes is an error, until it comes back.
func TestMissingFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	f := hostsfile.New(path)
	missing := func() {
		t.Helper()
		var pathError *fs.PathError
		if _, err := f.Table(); !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &pathError) || pathError.Path != path {
			t.Errorf("the error is %v", err)
		}
	}
	missing()
	write(t, path, "192.0.2.1 a", 0)
	if got := read(t, f); got != "a[192.0.2.1]" {
		t.Error(got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	missing()
	write(t, path, "192.0.2.2 a", 0)
	if got := read(t, f); got != "a[192.0.2.2]" {
		t.Error(got)
	}
}

// A directory and a FIFO are errors, and take no time.
func TestWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := hostsfile.New(dir).Table(); err == nil {
		t.Error("a directory is read")
	}
	fifo := filepath.Join(dir, "fifo")
	makeFIFO(t, fifo)
	if _, err := hostsfile.New(fifo).Table(); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("the error of a FIFO is %v", err)
	}
}

// A file beyond all measure is an error. It has holes, so that it takes no room.
func TestHugeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "192.0.2.1 a", 0)
	if err := os.Truncate(path, 64<<20+1); err != nil {
		t.Fatal(err)
	}
	if _, err := hostsfile.New(path).Table(); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("the error is %v", err)
	}
}

// The system's own file is found, and has localhost.
func TestSystemFile(t *testing.T) {
	_, err := os.Stat("/etc/hosts")
	testenv.Need(t, runtime.GOOS == "windows" || err == nil, "/etc/hosts")
	table, err := hostsfile.New("").Table()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d names", len(table))
}

// A file is used by many goroutines while it changes.
func TestConcurrentUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "192.0.2.1 a", 0)
	f := hostsfile.New(path)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				if table, err := f.Table(); err != nil || len(table) > 1 {
					t.Errorf("%v, %v", table, err)
				}
			}
		})
	}
	for i := range 20 {
		write(t, path, "192.0.2.1 a", i)
	}
	all.Wait()
}

// Whatever is in a file, what comes of it are addresses of names.
func FuzzParse(f *testing.F) {
	f.Add("127.0.0.1 localhost\n::1 localhost ip6-localhost\n# comment\nfe80::1%lo0 a.example A.\n")
	f.Add("\ufeff192.0.2.1\ta b#c\r\n192.0.02.1 x\n::ffff:1.2.3.4 y\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, addrs := range hostsfile.Parse(text) {
			if canonical, ok := lookup.Canonical(name); !ok || canonical != name {
				t.Errorf("%q is a name", name)
			}
			if len(addrs) == 0 {
				t.Errorf("%q has no address", name)
			}
			for i, a := range addrs {
				if !a.IsValid() || a.Is4In6() && a.Zone() == "" || slices.Contains(addrs[:i], a) {
					t.Errorf("%q has %v", name, addrs)
				}
			}
		}
	})
}

func BenchmarkTable(b *testing.B) {
	path := filepath.Join(b.TempDir(), "hosts")
	if err := os.WriteFile(path, []byte("192.0.2.1 a\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	at := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, at, at); err != nil {
		b.Fatal(err)
	}
	f := hostsfile.New(path)
	for b.Loop() {
		if _, err := f.Table(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	var text strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&text, "0.0.0.0 ads-%d.example\n", i)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if n := len(hostsfile.Parse(text.String())); n != 10000 {
			b.Fatal(n)
		}
	}
}
