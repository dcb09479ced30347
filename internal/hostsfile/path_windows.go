package hostsfile

import (
	"os"
	"path/filepath"
)

// systemPath is read from the environment anew each time.
func systemPath() string {
	return filepath.Join(os.Getenv("SystemRoot"), "System32", "drivers", "etc", "hosts")
}
