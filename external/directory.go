package external

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/epctl/endpoint/external/internal/trust"
	"github.com/epctl/endpoint/registry"
)

// A Directory is a directory of programs that serve plugins.
type Directory struct{ programs []*Program }

// OpenDir opens the programs of dir, those whose names begin with "endpoint-plugin-", as [Open] does. Where some can't be
// opened, or two have a plugin of the same name, the error tells all that is wrong, and the Directory has the others, the
// first of two in the order of their names.
func OpenDir(dir string, opts ...Option) (*Directory, error) {
	d := &Directory{}
	paths, err := trust.Find(dir)
	if err != nil {
		return d, err
	}
	var errs []error
	owners := map[string]string{}
	for _, path := range paths {
		p, err := Open(path, opts...)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := claim(owners, p); err != nil {
			errs = append(errs, err, p.Close())
			continue
		}
		d.programs = append(d.programs, p)
	}
	return d, errors.Join(errs...)
}

// claim gives the names of p's plugins to it.
func claim(owners map[string]string, p *Program) error {
	for _, plugin := range p.plugins {
		if owner, taken := owners[plugin.Name]; taken {
			return fmt.Errorf("%s: the plugin %s is one of %s already", p.path, plugin.Name, owner)
		}
	}
	for _, plugin := range p.plugins {
		owners[plugin.Name] = p.path
	}
	return nil
}

// Programs returns the programs, in the order of their names.
func (d *Directory) Programs() []*Program { return d.programs }

// Plugins returns the plugins of all programs.
func (d *Directory) Plugins() []registry.Plugin {
	var plugins []registry.Plugin
	for _, p := range d.programs {
		plugins = append(plugins, p.plugins...)
	}
	return plugins
}

// Close closes all programs, as [Program.Close] does.
func (d *Directory) Close() error {
	done := make(chan struct{})
	for _, p := range d.programs {
		go func() {
			_ = p.Close()
			done <- struct{}{}
		}()
	}
	for range d.programs {
		<-done
	}
	return nil
}

// Lock puts the program at path into the lock file of its directory, so that it may be started: with its checksum, and
// with what it says of itself, for which it is started. To lock a program is to trust it.
func Lock(path string, opts ...Option) error {
	p, err := describeAnew(path, opts)
	if err != nil {
		return err
	}
	defer p.Close()
	executable, err := trust.Open(p.path)
	if err != nil {
		return err
	}
	executable.Close()
	if sum := executable.Sum.String(); sum != p.started {
		return &ChecksumError{Path: p.path, Locked: p.started, Found: sum}
	}
	text, err := protojson.Marshal(p.description)
	if err != nil {
		return err
	}
	return changeLock(p.path, func(programs map[string]trust.Entry) {
		programs[filepath.Base(p.path)] = trust.Entry{SHA256: p.started, Description: json.RawMessage(text)}
	})
}

// Unlock takes the program at path out of the lock file of its directory. It need not exist any more.
func Unlock(path string) error {
	return changeLock(path, func(programs map[string]trust.Entry) { delete(programs, filepath.Base(path)) })
}

// Verify checks that the program at path may be started: that it is in the lock file of its directory with its present
// checksum, and that nobody else can write it. It starts nothing.
func Verify(path string) error {
	p := &Program{path: path}
	executable, err := p.trusted()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	executable.Close()
	return nil
}

func changeLock(path string, change func(map[string]trust.Entry)) error {
	dir := filepath.Dir(path)
	lock, err := trust.ReadLock(dir)
	if err != nil {
		return err
	}
	change(lock.Programs)
	return lock.Write(dir)
}

// describeAnew starts the program, whatever the lock file says of it, and asks what it is.
func describeAnew(path string, opts []Option) (*Program, error) {
	p, err := unopened(path, opts)
	if err != nil {
		return nil, err
	}
	p.ignoreLock, p.options.noStart = true, false
	session, err := p.keeper.Session(context.Background())
	if err == nil {
		p.description, err = session.Describe(context.Background())
	}
	if err != nil {
		p.keeper.Close()
		return nil, fmt.Errorf("%s: %w", p.path, err)
	}
	return p, nil
}
