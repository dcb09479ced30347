package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/epctl/endpoint/external"
)

type pluginTestCmd struct {
	Program  string            `arg:"" name:"program" help:"Path of a program, with a slash in it, or name of one that is installed, or of an endpoint of one."`
	Examples string            `placeholder:"FILE" help:"Use the strings in this file: a README with blocks of the language endpoint, or a string a line, each with its roles, as in tcp:80 # server."`
	Live     []string          `sep:"none" placeholder:"STRING" help:"Description of a server that is safe to listen on, beside those on loopback with port 0; may be given several times."`
	Client   []string          `sep:"none" placeholder:"STRING" help:"Description of the client that belongs to a server: %a stands for the address that this is bound to, %h and %p for its host and port. It is for the endpoint whose name it begins with; may be given several times."`
	Files    map[string]string `mapsep:"none" placeholder:"PATH=FILE" help:"File to use in place of one that examples name; may be given several times."`
	Without  map[string]string `mapsep:"none" placeholder:"CHECK=WHY" help:"Leave out a check, for the reason given; may be given several times."`
	Timeout  time.Duration     `default:"5m" help:"Give up on an endpoint after this time."`
	JSON     bool              `name:"json" help:"Write JSON."`
}

func (c *pluginTestCmd) Help() string {
	return "What every plugin has to do is checked in whatever language the program is written. Examples come from NAME's README: README.md beside the program, or the program's own name with .md, whose title is # NAME. Only servers on loopback with port 0 are listened on. The program is started also if it is not locked; one that is locked must not have changed. Other endpoints of epctl are there for examples that go through them. What the suite says of the options Live, ClientFor, Files and Without is for the flags --live, --client, --files and --without; tests in Go have further ones."
}

// Run tests all endpoints of the program.
func (c *pluginTestCmd) Run(ctx context.Context, a *app) error {
	path, only, err := c.find(a)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	r := &suiteReport{Program: path, Plugins: []*pluginReport{}}
	if err := c.test(ctx, a, r, only); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !c.JSON {
			return err
		}
		r.OK, r.Error = false, err.Error()
	}
	return errors.Join(r.tell(a, c.JSON), told(!r.OK))
}

// find returns the path of the program, and the endpoint of it that is asked for, "" for all.
func (c *pluginTestCmd) find(a *app) (path, only string, err error) {
	if strings.ContainsRune(c.Program, filepath.Separator) {
		path, err = filepath.Abs(c.Program)
		return path, "", err
	}
	path, only, err = a.findServer(c.Program)
	if _, there := os.Lstat(c.Program); err != nil && there == nil {
		err = &hintedError{errors.New(quoted(c.Program) + " is not installed"), "a path has a slash in it: ." + string(filepath.Separator) + c.Program}
	}
	return path, only, err
}

// test asks the program what it serves, and has each endpoint tested in a process of its own, since the suite counts
// what is open.
func (c *pluginTestCmd) test(ctx context.Context, a *app, r *suiteReport, only string) error {
	var changed *external.ChecksumError
	if err := external.Verify(r.Program); errors.As(err, &changed) {
		return err
	}
	p, err := external.Open(r.Program, external.AllowUnlocked(), external.Stderr(a.err))
	if err != nil {
		return err
	}
	plugins, _ := p.Plugins(), p.Close()
	r.Version, r.OK = p.Version(), true
	_, taken := beside(a.registry, p)
	for _, plugin := range plugins {
		if only != "" && plugin.Name != only {
			continue
		}
		report := &pluginReport{Name: plugin.Name, Roles: plugin.Roles(), Checks: []*checkReport{}}
		for _, name := range taken {
			if name == plugin.Name {
				report.Warnings = append(report.Warnings, "epctl has an endpoint of this name, and will not use the program's")
			}
		}
		if err := c.suite(ctx, a, r.Program, report); err != nil {
			return err
		}
		r.Plugins, r.OK = append(r.Plugins, report), r.OK && report.OK
	}
	return nil
}

// suite tests one endpoint.
func (c *pluginTestCmd) suite(ctx context.Context, a *app, path string, report *pluginReport) error {
	scratch, err := os.MkdirTemp("", "epctl-test-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	s, dir, err := c.spec(path, report.Name, scratch)
	if err != nil {
		return err
	}
	timed, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	cmd, err := s.command(timed, dir)
	if err != nil {
		return err
	}
	cmd.Stderr = a.err
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err = cmd.Start(); err == nil {
		report.read(out)
		err = cmd.Wait()
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case timed.Err() != nil:
		report.endsEarly(fmt.Sprintf("it was not done after %s", c.Timeout))
	case !report.complete:
		report.endsEarly(fmt.Sprint(err))
	}
	return nil
}

// spec says what the process that runs the suite is to do, and in which directory.
func (c *pluginTestCmd) spec(path, plugin, scratch string) (suiteSpec, string, error) {
	s := suiteSpec{Path: path, Plugin: plugin, Live: c.Live, Files: map[string]string{}, Without: map[string]string{}}
	for _, text := range c.Client {
		if text == plugin || strings.HasPrefix(text, plugin+":") {
			s.Client = text
		}
	}
	for check, why := range c.Without {
		s.Without[check] = why
	}
	for named, file := range c.Files {
		abs, err := filepath.Abs(file)
		if err != nil {
			return s, "", err
		}
		s.Files[named] = abs
	}
	s.Without["purity"] = "a program is asked over a socket, also when it builds"
	dir, err := s.examples(c.Examples, scratch)
	return s, dir, err
}

// command runs the hidden verb of this same program.
func (s suiteSpec) command(ctx context.Context, dir string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "plugins", "__suite", string(text))
	cmd.Args[0], cmd.Dir, cmd.WaitDelay = os.Args[0], dir, 5*time.Second
	return cmd, nil
}
