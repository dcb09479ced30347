package external_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/external"
)

// PL-08, PL-09
func TestAProgramThatDoesNotStartSaysWhy(t *testing.T) {
	for name, want := range map[string]string{
		"hang":    "it has not started within 1s",
		"exit":    `it ended at once: exit status 7; its last words:` + "\n" + `out of \x1b[31mcheese`,
		"silent":  "it ended at once",
		"garbage": `it says "hello, \\x1b[31mworld", and not what a plugin says first`,
		"long":    "what it says first is longer than 8192 bytes",
		"newer":   "it speaks version 2 of the plugin interface, and this program speaks version 1 only",
		"netrpc":  `it speaks "netrpc", not grpc`,
		"overtcp": `it is reached over "tcp", not over a unix socket`,
		"flood":   "flood 99999",
		"holder":  "it ended at once: exit status 9", // PL-07: something else holds its pipes open
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := 20 * time.Second
			if name == "hang" {
				timeout = time.Second
			}
			path := install(t, name)
			_, err := external.Open(path, external.AllowUnlocked(), external.StartTimeout(timeout))
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v\nwant it to say %s", err, want)
			}
			if err != nil && len(err.Error()) > 6<<10 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// PL-08
func TestAFileThatIsNoProgramSaysSo(t *testing.T) {
	dir, sockets := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", sockets)
	for name, tc := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"plain":  {"hello", 0o755, "exec format error"},
		"other":  {"\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\xf3\x00" + strings.Repeat("\x00", 64), 0o755, "exec format error"},
		"no-x":   {"hello", 0o644, "it can't be executed (chmod u+x)"},
		"script": {"#!/nowhere/python\n", 0o755, "no such file"},
		"empty":  {"", 0o755, "exec format error"},
	} {
		path := filepath.Join(dir, "endpoint-plugin-"+name)
		if err := os.WriteFile(path, []byte(tc.text), tc.mode); err != nil {
			t.Fatal(err)
		}
		_, err := external.Open(path, external.AllowUnlocked())
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v; want it to say %s", name, err, tc.want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(sockets, "*")); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}

// PL-12
func TestADescriptionThatIsWrongIsRefused(t *testing.T) {
	for name, want := range map[string]string{
		"nothing":       "serves 0 plugins",
		"badname":       `plugin "no\\nname": a name has`,
		"twice":         `two plugins are called "bad"`,
		"baddoc":        "characters that can't be shown",
		"badkind":       `parameter "how": "thing" is no kind`,
		"badrole":       `"king" is no role`,
		"badparam":      `parameter "a:b": a name has letters`,
		"huge":          "the plugin breaks the rules",
		"describecrash": external.ErrPluginGone.Error(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := external.Open(install(t, name), external.AllowUnlocked())
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v; want it to say %s", err, want)
			}
		})
	}
}

// PL-10. That it is disabled in the end is tested by a clock that runs faster, in internal/host.
func TestAProgramThatCrashesIsStartedAgain(t *testing.T) {
	p := open(t, "hostile")
	r := registryOf(t, p)
	first := p.PID()
	if _, err := r.NewClient("bad:buildcrash"); !errors.Is(err, external.ErrPluginGone) {
		t.Errorf("the crash: %v", err)
	}
	if _, err := r.NewClient("bad:hang"); err != nil {
		t.Errorf("after the crash: %v", err)
	}
	if p.PID() == first || p.PID() == 0 {
		t.Errorf("the process was %d and is %d", first, p.PID())
	}
	p.Close()
	if _, err := r.NewClient("bad:hang"); !errors.Is(err, external.ErrClosed) || !errors.Is(err, external.ErrPluginGone) {
		t.Errorf("after Close: %v", err)
	}
	if _, ok := r.Lookup("bad"); !ok {
		t.Error("its plugin is not there any more")
	}
}
