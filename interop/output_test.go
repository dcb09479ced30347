package interop

import (
	"os/exec"
	"testing"
)

// output runs a program that has to succeed, and returns all that it says.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return string(out)
}
