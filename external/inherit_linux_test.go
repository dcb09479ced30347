package external_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/epctl/endpoint/external"
)

// PL-04, PL-05, PL-06
func TestAProgramGetsNothingThatIsNotForIt(t *testing.T) {
	t.Setenv("EXTERNAL_TEST_PRIVATE", "x")
	t.Setenv("EXTERNAL_TEST_SHARED", "y")
	t.Setenv("PLUGIN_UNIX_SOCKET_DIR", "/nowhere")
	t.Setenv("TZ", "UTC")
	file, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	leak(t, file)
	c, err := registryOf(t, open(t, "hostile", external.Env("EXTERNAL_TEST_SHARED"))).NewClient("bad:look")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Dial(within(t))
	if err == nil {
		t.Fatal("no error")
	}
	report := strings.Split(strings.ReplaceAll(err.Error(), `\n`, "\n"), "\n")
	var env, fds []string
	for _, line := range report {
		if v, ok := strings.CutPrefix(line, "env: "); ok {
			name, _, _ := strings.Cut(v, "=")
			env = append(env, name)
		}
		if v, ok := strings.CutPrefix(line, "fd: "); ok {
			fds = append(fds, v)
		}
	}
	for _, want := range []string{"stdin: 0 EOF", "umask: 077", "leader: true"} {
		if !slices.Contains(report, want) && !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %q", want, report)
		}
	}
	for _, name := range env {
		if !slices.Contains([]string{"ENDPOINT_PLUGIN", "EXTERNAL_TEST_SHARED", "LANG", "LC_ALL", "TZ"}, name) && !strings.HasPrefix(name, "PLUGIN_") {
			t.Errorf("it has the variable %s", name)
		}
	}
	for _, fd := range fds {
		if strings.Contains(fd, "/dev/zero") {
			t.Errorf("it has the descriptor %s", fd)
		}
	}
}

// leak makes a descriptor that programs inherit, as one has it from who has started the process.
func leak(t *testing.T, f *os.File) {
	t.Helper()
	fd, err := unix.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
}

// alive reports whether a process has not ended.
func alive(pid int) bool { return !ended(pid) }
