package registry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/registry"
)

// needDescriptors skips where files have no numbers, or none that /dev/fd knows.
func needDescriptors(t *testing.T) {
	t.Helper()
	_, err := os.Stat("/dev/fd/0")
	testenv.Need(t, runtime.GOOS != "windows" && err == nil, "/dev/fd")
}

func TestAFIFOInPlaceOfASecretsFileDoesNotHang(t *testing.T) { // SE-03
	mkfifo := testenv.Tool(t, "mkfifo")
	path := filepath.Join(t.TempDir(), "fifo")
	if out, err := exec.Command(mkfifo, "-m", "600", path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, err := reveal(t, "file:"+path); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestADeviceInPlaceOfASecretsFileIsRefused(t *testing.T) { // SE-03
	_, err := os.Stat("/dev/zero")
	testenv.Need(t, err == nil, "/dev/zero")
	if got, err := reveal(t, "file:/dev/zero"); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("%.10q, %v", got, err)
	}
}

func TestSecretsOfDescriptors(t *testing.T) { // SE-02
	needDescriptors(t)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("from a pipe\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		fmt.Sprintf("fd:%d", f.Fd()): "from a file",
		fmt.Sprintf("fd:%d", r.Fd()): "from a pipe",
	} {
		if got, err := reveal(t, text); err != nil || got != want {
			t.Errorf("%s reveals %q, %v, want %q", text, got, err, want)
		}
	}
	if _, err := reveal(t, "fd:987654"); err == nil {
		t.Error("a descriptor that is not open reveals something")
	}
}

func TestADescriptorWithoutEndIsCut(t *testing.T) { // SE-03
	needDescriptors(t)
	f, err := os.Open("/dev/zero")
	testenv.Need(t, err == nil, "/dev/zero")
	defer f.Close()
	if _, err := reveal(t, fmt.Sprintf("fd:%d", f.Fd())); err == nil || !strings.Contains(err.Error(), "is larger than 65536 bytes") {
		t.Errorf("%v", err)
	}
}

func TestADescriptorThatSaysNothingIsReadUntilTheContextEnds(t *testing.T) {
	needDescriptors(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	_, err = registry.NewSecret(fmt.Sprintf("fd:%d", r.Fd())).Reveal(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
