package main

import (
	"errors"
	"runtime"
	"strings"
	"sync"

	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/registry"
)

// A pluginUse is what a verb wants of plugins that are programs.
type pluginUse int

const (
	unused    pluginUse = iota // nothing, or it looks after them itself
	described                  // what they said of themselves when they were installed; nothing is started
	started                    // they are started when an endpoint of theirs is built first
)

// usePlugins says what a verb, which is a pointer to its command, wants of plugins.
func usePlugins(verb any) pluginUse {
	switch verb.(type) {
	case *tryCmd, *tlsCmd, *dialCmd, *listenCmd, *resolveCmd:
		return started
	case *checkCmd, *parseCmd, *explainCmd, *listCmd, *docCmd, *schemaCmd:
		return described
	}
	return unused
}

// plugged runs a verb with the endpoints of installed programs in the registry. What is wrong with a program is a
// warning: strings that do not need it are none the worse for it.
func (a *app) plugged(verb any, flag dirList, run func() error) error {
	var err error
	a.dirs, err = a.pluginDirs(flag)
	a.warnAll(err)
	switch usePlugins(verb) {
	case described:
		programs, err := a.plug(external.NoStart())
		defer closeAll(programs)
		a.warnAll(errors.Join(err, a.withVerified(programs)))
	case started:
		programs, err := a.plug(external.Stderr(a.err))
		defer closeAll(programs)
		a.warnAll(errors.Join(err, a.with(programs)))
	}
	return run()
}

// plug opens what is installed.
func (a *app) plug(opts ...external.Option) (programs []*external.Program, err error) {
	for _, dir := range a.dirs {
		d, failure := external.OpenDir(dir, opts...)
		err = errors.Join(err, failure)
		programs = append(programs, d.Programs()...)
	}
	return programs, err
}

// plugQuietly has the registry know the endpoints of what is installed, for completion and for the secrets in strings:
// it checks no checksum, since nothing comes of it, and does not tell what is wrong.
func (a *app) plugQuietly(args []string) {
	a.dirs, _ = a.pluginDirs(dirsIn(args))
	programs, _ := a.plug(external.NoStart())
	_ = a.with(programs)
}

// dirsIn returns the directories that a command line names, which need not be right.
func dirsIn(args []string) (dirs dirList) {
	const flag = "--plugin-dir"
	for i, arg := range args {
		value, ok := strings.CutPrefix(arg, flag+"=")
		if arg == flag && i+1 < len(args) {
			value, ok = args[i+1], true
		}
		if ok {
			_ = dirs.UnmarshalText([]byte(value))
		}
	}
	return dirs
}

// with adds the endpoints of programs to the registry. A program one of whose names is taken adds none.
func (a *app) with(programs []*external.Program) (err error) {
	for _, p := range programs {
		next, failure := a.registry.With(p.Plugins()...)
		if failure != nil {
			err = errors.Join(err, errors.New(p.Path()+": "+failure.Error()))
			continue
		}
		a.registry = next
	}
	return err
}

// withVerified is with for those whose checksum is still that for which they were described.
func (a *app) withVerified(programs []*external.Program) error {
	failures := make([]error, len(programs))
	var wait sync.WaitGroup
	next := make(chan int)
	for range min(len(programs), runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for i := range next {
				failures[i] = external.Verify(programs[i].Path())
			}
		})
	}
	for i := range programs {
		next <- i
	}
	close(next)
	wait.Wait()
	var good []*external.Program
	for i, p := range programs {
		if failures[i] == nil {
			good = append(good, p)
		}
	}
	return errors.Join(append(failures, a.with(good))...)
}

func closeAll(programs []*external.Program) {
	var wait sync.WaitGroup
	for _, p := range programs {
		wait.Go(func() { _ = p.Close() })
	}
	wait.Wait()
}

// warnAll tells each of several errors that end nothing, one a line where nobody reads along.
func (a *app) warnAll(err error) {
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(strings.TrimRight(err.Error(), "\n"), "\n") {
		text := []string{"warning: " + printable(line)}
		if a.err.terminal {
			text = wrap(text[0], a.err.width)
		}
		_ = a.err.print(strings.Replace(strings.Join(text, "\n"), "warning:", a.err.warning("warning:"), 1) + "\n")
	}
}

// beside returns the plugins that endpoints of p may be inside of, or hold: those of epctl without such as have a name
// of p's, about which the second result tells.
func beside(r *registry.Registry, p *external.Program) (others []registry.Plugin, taken []string) {
	own := map[string]bool{}
	for _, plugin := range p.Plugins() {
		own[plugin.Name] = true
	}
	for _, plugin := range r.Plugins() {
		if own[plugin.Name] {
			taken = append(taken, plugin.Name)
			continue
		}
		others = append(others, plugin)
	}
	return others, taken
}
