// Package trust says which programs may be started as plugins: those that nobody else can change, and whose checksum is
// in the lock file of their directory.
package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Prefix begins the name of every program that is a plugin.
const Prefix = "endpoint-plugin-"

// A Sum is the SHA-256 checksum of a program.
type Sum [sha256.Size]byte

// String is the sum in hexadecimal.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// ParseSum reads a sum in hexadecimal.
func ParseSum(text string) (Sum, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != sha256.Size {
		return Sum{}, fmt.Errorf("%q is no SHA-256 checksum", text)
	}
	return Sum(b), nil
}

// Find returns the paths of the programs in dir that are called as plugins are, sorted. The directory must be one that
// nobody else can change.
func Find(dir string) ([]string, error) {
	dir, err := directory(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		if validName(e.Name()) && !e.IsDir() {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	slices.Sort(paths)
	return paths, nil
}

func validName(name string) bool {
	rest, ok := strings.CutPrefix(name, Prefix)
	return ok && rest != "" && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// directory makes dir absolute, and checks it and all above it: as it is written, since who can change a link there
// leads elsewhere, and as it really is.
func directory(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("no directory is named")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := checkParents(dir); err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	return resolved, checkParents(resolved)
}

// Check returns where the program at path really is: in the same directory, called as a plugin is, a regular file that,
// like every directory above it, nobody but its owner can write, who is root or the user of this process.
func Check(path string) (string, error) {
	name := filepath.Base(path)
	if !validName(name) {
		return "", fmt.Errorf("%s is not called %sNAME", path, Prefix)
	}
	dir, err := directory(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(filepath.Join(dir, name))
	if err != nil {
		return "", err
	}
	if rel, err := filepath.Rel(dir, resolved); err != nil || rel != filepath.Base(rel) || rel == ".." {
		return "", fmt.Errorf("%s leads out of its directory, to %s", path, resolved)
	}
	info, err := os.Lstat(resolved)
	if err != nil {
		return "", err
	}
	return resolved, checkFile(resolved, info)
}

func checkFile(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s has mode %04o: others than its owner can write it (chmod go-w)", path, info.Mode().Perm())
	}
	return checkOwner(path, info)
}

// checkParents checks dir and all above it. In a directory with the sticky bit, such as /tmp, others can write, but
// can't put anything in the place of what is there.
func checkParents(dir string) error {
	for {
		info, err := os.Lstat(dir)
		if err != nil {
			return err
		}
		mode := info.Mode()
		link := mode&fs.ModeSymlink != 0 // has no mode of its own
		if mode.Perm()&0o022 != 0 && mode&fs.ModeSticky == 0 && !link {
			return fmt.Errorf("the directory %s has mode %04o: others than its owner can write it (chmod go-w)", dir, mode.Perm())
		}
		if err := checkOwner(dir, info); err != nil {
			return err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil
		}
		dir = parent
	}
}

// An Executable is an open program whose checksum is known.
type Executable struct {
	Sum    Sum
	Path   string // what is executed
	Script bool   // its interpreter opens it again: the file must be passed on
	file   *os.File
	remove string // a directory to remove when it is not needed any more
}

// Open opens the program at path, checks it once more by what is open, and takes its checksum.
func Open(path string) (*Executable, error) {
	resolved, err := Check(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(resolved)
	if err != nil {
		return nil, err
	}
	e := &Executable{file: f}
	if err := e.read(resolved); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *Executable) read(path string) error {
	info, err := e.file.Stat()
	if err != nil {
		return err
	}
	if err := checkFile(path, info); err != nil {
		return err
	}
	if info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("%s has mode %04o: it can't be executed (chmod u+x)", path, info.Mode().Perm())
	}
	if err := e.fix(); err != nil {
		return err
	}
	// A hash of its own for each check: one that is used twice takes the sum of both.
	hash := sha256.New()
	if _, err := io.Copy(hash, e.file); err != nil {
		return err
	}
	e.Sum = Sum(hash.Sum(nil))
	begin := make([]byte, 2)
	_, err = e.file.ReadAt(begin, 0)
	e.Script = err == nil && string(begin) == "#!"
	return nil
}

// File is the open program.
func (e *Executable) File() *os.File { return e.file }

// Close closes the program. One that was started runs on.
func (e *Executable) Close() {
	_ = e.file.Close()
	if e.remove != "" {
		_ = os.RemoveAll(e.remove)
	}
}
