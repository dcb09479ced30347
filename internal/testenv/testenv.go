// Package testenv says what a test needs of the machine: a test skips with one line where a part is missing, and fails
// instead where ENDPOINT_TEST_REQUIRE=all is set, so that a green run there means that nothing was left out.
package testenv

import (
	"os"
	"os/exec"
	"testing"
)

// Need skips t, or fails it under ENDPOINT_TEST_REQUIRE=all, where ok is false. What names the missing part.
func Need(t testing.TB, ok bool, what string) {
	t.Helper()
	if ok {
		return
	}
	if os.Getenv("ENDPOINT_TEST_REQUIRE") == "all" {
		t.Fatalf("missing: %s", what)
	}
	t.Skipf("missing: %s", what)
}

// Tool returns the path of the program called name, which the test needs.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	Need(t, err == nil, "the program "+name)
	return path
}

// Root needs the test to run as the superuser.
func Root(t testing.TB) {
	t.Helper()
	Need(t, os.Geteuid() == 0, "root")
}
