package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pluginsCmd is for programs that serve plugins. Each of its verbs is in a file of its own.
type pluginsCmd struct {
	List    pluginListCmd    `cmd:"" help:"List the programs that are installed, and the endpoints that they add."`
	Install pluginInstallCmd `cmd:"" help:"Copy a program into the directory of plugins, and lock it: trust it."`
	Verify  pluginVerifyCmd  `cmd:"" help:"Tell whether programs are those that were locked, and nobody else can write them."`
	Remove  pluginRemoveCmd  `cmd:"" help:"Remove a program, and unlock it."`
	Doc     pluginDocCmd     `cmd:"" help:"Tell the endpoints of a program, and their parameters."`
	Test    pluginTestCmd    `cmd:"" help:"Run the conformance suite against a program, and report."`
	Suite   pluginSuiteCmd   `cmd:"" name:"__suite" hidden:"" help:"Run the conformance suite in this process."`
}

func (c *pluginsCmd) Help() string {
	return "Programs that are called endpoint-plugin-NAME add endpoints to all verbs. They are looked for in the directories of --plugin-dir, or else of ENDPOINT_PLUGIN_DIR, and nowhere else: not in PATH, and not in the working directory. None is started that was not installed, or that has changed since."
}

// pluginDirVariable names directories where --plugin-dir is not given.
const pluginDirVariable = "ENDPOINT_PLUGIN_DIR"

// programPrefix begins the file name of every program that serves plugins.
const programPrefix = "endpoint-plugin-"

// A dirList is a list of directories, as PATH is, on the command line; it may be given several times.
type dirList []string

// UnmarshalText is called by kong for each time that the flag is given.
func (l *dirList) UnmarshalText(text []byte) error {
	dirs := splitDirs(string(text))
	if len(dirs) == 0 {
		return errors.New("no directory is named")
	}
	for _, dir := range dirs {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		if !slices.Contains(*l, abs) {
			*l = append(*l, abs)
		}
	}
	return nil
}

// splitDirs splits a list. An empty element, which is the working directory in PATH, is nothing here.
func splitDirs(list string) []string {
	return slices.DeleteFunc(filepath.SplitList(list), func(dir string) bool { return dir == "" })
}

// pluginDirs returns the directories where plugins are: those of the flag, or else those of the environment, without
// such as depend on the working directory, about which the error tells.
func (a *app) pluginDirs(flag dirList) (dirs []string, err error) {
	if len(flag) > 0 {
		return flag, nil
	}
	for _, dir := range splitDirs(a.env(pluginDirVariable)) {
		if !filepath.IsAbs(dir) {
			err = errors.Join(err, errors.New(pluginDirVariable+": "+dir+" is not an absolute path"))
			continue
		}
		if dir = filepath.Clean(dir); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, err
}

// needDirs returns the directories for a verb that has nothing to do without.
func (a *app) needDirs() ([]string, error) {
	if len(a.dirs) == 0 {
		return nil, &usageError{"no directory of plugins is named", "--plugin-dir DIR, or " + pluginDirVariable}
	}
	return a.dirs, nil
}

// programPaths returns the paths of what is called as a program is in the directories, in the order in which they are
// opened. Directories that can't be read are told by the error.
func programPaths(dirs []string) (paths []string, err error) {
	for _, dir := range dirs {
		entries, failure := os.ReadDir(dir) // sorted
		err = errors.Join(err, failure)
		for _, e := range entries {
			if validProgram(e.Name()) && !e.IsDir() {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
	}
	return paths, err
}

// validProgram says that a file may be a program that serves plugins.
func validProgram(name string) bool {
	rest, ok := strings.CutPrefix(name, programPrefix)
	return ok && rest != "" && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// findProgram returns the path of the program that is called name, with or without what all of them begin with. One
// that is locked, but not there any more, is found too.
func (a *app) findProgram(name string) (string, error) {
	dirs, err := a.needDirs()
	if err != nil {
		return "", err
	}
	base := programPrefix + strings.TrimPrefix(name, programPrefix)
	if !validProgram(base) {
		return "", errors.New(quoted(name) + " is no name of a program: it has lower-case letters, digits, '-' and '_'")
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, base)
		if _, err := os.Lstat(path); err == nil || lockedAndGone(path) {
			return path, nil
		}
	}
	missing := errors.New("there is no " + base + " in " + strings.Join(dirs, ", "))
	if path, ok := a.server(name); ok {
		return "", &hintedError{missing, name + " is an endpoint of " + filepath.Base(path)}
	}
	return "", missing
}

// findServer returns the path of the program that is called name, or else of the one that serves the endpoint of that
// name, which is then the second result.
func (a *app) findServer(name string) (path, endpoint string, err error) {
	path, err = a.findProgram(name)
	if err == nil {
		return path, "", nil
	}
	if path, ok := a.server(name); ok {
		return path, name, nil
	}
	return "", "", err
}

// server returns the path of the program that serves an endpoint.
func (a *app) server(name string) (string, bool) {
	programs, _ := a.installedPrograms(a.dirs)
	for _, p := range programs {
		if slices.ContainsFunc(p.Plugins, func(l listed) bool { return l.Name == name }) {
			return p.Path, true
		}
	}
	return "", false
}

func quoted(text string) string { return `"` + printable(text) + `"` }
