package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/epctl/endpoint/cmd/epctl/internal/owner"
	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/registry"
)

type pluginInstallCmd struct {
	File string `arg:"" name:"file" help:"The program."`
	Name string `placeholder:"NAME" help:"Install it as endpoint-plugin-NAME; otherwise under the name of the file."`
	JSON bool   `name:"json" help:"Write JSON."`
}

func (c *pluginInstallCmd) Help() string {
	return "The program must be a file that nobody but you, or root, can write. It is copied into the first directory of plugins, unless it is in one of them already; there it is started, to tell what it serves, and locked with its SHA-256. It takes the place of an older one of its name. To install a program is to trust it: it runs with your rights."
}

// An installation is the JSON form of one.
type installation struct {
	*installed
	Replaced bool `json:"replaced"` // an older program of this name
}

// Run copies the program, has it describe itself, and locks it.
func (c *pluginInstallCmd) Run(a *app) error {
	dirs, err := a.needDirs()
	if err != nil {
		return err
	}
	source, err := checkSource(c.File)
	if err != nil {
		return err
	}
	name, err := c.target()
	if err != nil {
		return err
	}
	i := &install{a: a, dirs: dirs, source: source, path: filepath.Join(dirs[0], name)}
	if err := i.run(); err != nil {
		return err
	}
	p := look(i.path)
	if c.JSON {
		return a.out.json(installation{p, i.replaced})
	}
	text := "installed:\n"
	if i.replaced {
		text = "installed in place of an older one:\n"
	}
	return a.out.print(text + p.text(a.out))
}

// target is the name under which the program is installed.
func (c *pluginInstallCmd) target() (string, error) {
	base := filepath.Base(c.File)
	if c.Name != "" {
		base = programPrefix + strings.TrimPrefix(c.Name, programPrefix)
	} else if !strings.HasPrefix(base, programPrefix) {
		base = programPrefix + base
	}
	if !validProgram(base) {
		return "", &usageError{
			printable(base) + " is no name of a program: behind " + programPrefix + " it has lower-case letters, digits, '-' and '_'", "--name NAME",
		}
	}
	return base, nil
}

// checkSource returns where a program is, whose bytes must be of its owner alone. What stands above it does not matter
// so much, as it is read once.
func checkSource(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", err
	}
	abs = filepath.Join(dir, filepath.Base(abs))
	resolved, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", err
	}
	if filepath.Dir(resolved) != dir {
		return "", fmt.Errorf("%s leads out of its directory, to %s: install that", path, resolved)
	}
	info, err := os.Lstat(resolved)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a regular file", path)
	case info.Mode().Perm()&0o022 != 0:
		return "", fmt.Errorf("%s has mode %04o: others than its owner can write it (chmod go-w)", path, info.Mode().Perm())
	case info.Mode().Perm()&0o111 == 0:
		return "", fmt.Errorf("%s has mode %04o: it can't be executed (chmod u+x)", path, info.Mode().Perm())
	}
	return abs, owner.Check(path, info)
}

// An install is what one works with.
type install struct {
	a        *app
	dirs     []string
	source   string // without symbolic links above it
	path     string // where it goes
	replaced bool
}

func (i *install) run() error {
	if err := os.Mkdir(i.dirs[0], 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if there, ok := i.inPlace(); ok {
		i.path = there
		return i.lock(there)
	}
	stage, err := os.MkdirTemp(i.dirs[0], ".install-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	staged := filepath.Join(stage, filepath.Base(i.path))
	if err := copyProgram(i.source, staged); err != nil {
		return err
	}
	if err := i.lock(staged); err != nil {
		return err
	}
	return i.move(staged, filepath.Join(stage, "old"))
}

// inPlace returns the path of the program in a directory of plugins, if it is in one under its right name.
func (i *install) inPlace() (string, bool) {
	for _, dir := range i.dirs {
		path := filepath.Join(dir, filepath.Base(i.path))
		if resolved, err := filepath.EvalSymlinks(dir); err == nil && filepath.Join(resolved, filepath.Base(i.path)) == i.source {
			return path, true
		}
	}
	return "", false
}

// lock has a program tell what it is, and locks it, unless one of its names is taken.
func (i *install) lock(path string) error {
	old := external.Verify(path) == nil
	if err := external.Lock(path, external.Stderr(i.a.err)); err != nil {
		return i.about(path, err)
	}
	p, err := external.Open(path, external.NoStart())
	if err == nil {
		_, err = i.others().With(p.Plugins()...)
	}
	if err == nil {
		return nil
	}
	if !old {
		err = errors.Join(err, external.Unlock(path))
	}
	return i.about(path, err)
}

// about says what is wrong with the program as it was given: nobody knows the copy.
func (i *install) about(path string, err error) error {
	text := strings.ReplaceAll(err.Error(), path, i.source)
	if !strings.Contains(text, i.source) {
		text = i.source + ": " + text
	}
	return errors.New(text)
}

// others is a registry of all that is installed beside the program.
func (i *install) others() *registry.Registry {
	known := i.a.registry
	paths, _ := programPaths(i.dirs)
	for _, path := range paths {
		if p := look(path); path != i.path && p.State == stateOK {
			known = p.claim(known)
		}
	}
	return known
}

// move puts the staged program into its place and locks it there. Where that fails, the older one is there again.
func (i *install) move(staged, old string) error {
	switch err := os.Rename(i.path, old); {
	case err == nil:
		i.replaced = true
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	err := os.Rename(staged, i.path)
	if err == nil {
		err = external.Lock(i.path, external.Stderr(i.a.err))
	}
	switch {
	case err == nil:
		return nil
	case i.replaced:
		return errors.Join(err, os.Rename(old, i.path))
	}
	_ = os.Remove(i.path)
	return err
}

// copyProgram makes a copy that only its owner can write.
func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(0o755), out.Sync(), out.Close())
}
