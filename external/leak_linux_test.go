package external_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// leak makes a descriptor that programs inherit, as one has it from who has started the process.
func leak(t *testing.T, f *os.File) {
	t.Helper()
	fd, err := unix.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
}
