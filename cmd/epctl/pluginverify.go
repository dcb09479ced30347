package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/epctl/endpoint/external"
)

type pluginVerifyCmd struct {
	Programs []string `arg:"" optional:"" name:"program" help:"Names of programs; otherwise all."`
	JSON     bool     `name:"json" help:"Write a JSON array, an element a program."`
}

func (c *pluginVerifyCmd) Help() string {
	return "A program is right if it is in the lock file of its directory with its present SHA-256, and nobody but its user, or root, can write it or put another in its place. Nothing is started."
}

// Run tells what is right on stdout, and what is wrong on stderr.
func (c *pluginVerifyCmd) Run(a *app) error {
	programs, err := c.programs(a)
	if programs == nil {
		return err
	}
	failed := err != nil
	a.report(err)
	if c.JSON {
		for _, p := range programs {
			failed = failed || p.State != stateOK
		}
		return errors.Join(a.out.json(programs), told(failed))
	}
	for _, p := range programs {
		if p.State != stateOK {
			failed = true
			a.report(errors.New(p.Path + ": " + p.Error))
			continue
		}
		if err := a.out.print(a.out.good("ok") + "  " + printable(p.Path) + "\n"); err != nil {
			return err
		}
	}
	return told(failed)
}

// programs are those that are asked for; nil where they can't be told.
func (c *pluginVerifyCmd) programs(a *app) ([]*installed, error) {
	dirs, err := a.needDirs()
	if err != nil {
		return nil, err
	}
	all, err := a.installedPrograms(dirs)
	if len(c.Programs) == 0 {
		return all, err
	}
	asked := []*installed{}
	err = nil
	for _, name := range c.Programs {
		path, failure := a.findProgram(name)
		if failure != nil {
			err = errors.Join(err, failure)
			continue
		}
		asked = append(asked, among(all, path))
	}
	return asked, err
}

// among returns the program of a path.
func among(all []*installed, path string) *installed {
	for _, p := range all {
		if p.Path == path {
			return p
		}
	}
	return look(path)
}

type pluginRemoveCmd struct {
	Program string `arg:"" name:"program" help:"Name of the program."`
	JSON    bool   `name:"json" help:"Write JSON."`
}

// A removal is the JSON form of one.
type removal struct {
	Name    string `json:"name"`
	Path    string `json:"path"`
	Removed bool   `json:"removed"` // false where only the lock was left of it
}

func (c *pluginRemoveCmd) Help() string {
	return "The program is unlocked first, so that it is not started any more, and then removed. Where it runs it goes on until its application closes it."
}

// Run unlocks and removes the program.
func (c *pluginRemoveCmd) Run(a *app) error {
	path, err := a.findProgram(c.Program)
	if err != nil {
		return err
	}
	if err := external.Unlock(path); err != nil {
		return err
	}
	err = os.Remove(path)
	gone := errors.Is(err, fs.ErrNotExist)
	if err != nil && !gone {
		return err
	}
	if c.JSON {
		return a.out.json(removal{filepath.Base(path), path, !gone})
	}
	text := "removed "
	if gone {
		text = "unlocked, and was removed already: "
	}
	return a.out.print(text + printable(path) + "\n")
}

// lockedAndGone says that a program is in the lock file of its directory, and not there.
func lockedAndGone(path string) bool { return errors.Is(external.Verify(path), fs.ErrNotExist) }
