package external

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/host"
	"github.com/epctl/endpoint/external/internal/supervise"
	"github.com/epctl/endpoint/external/internal/trust"
	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/registry"
)

// A Program is a program that serves plugins.
type Program struct {
	path        string
	options     options
	description *wire.Description
	plugins     []registry.Plugin
	keeper      *host.Keeper

	ignoreLock bool   // it is about to be locked
	started    string // checksum of what was started last; for who locks it
}

// Open opens the program at path, whose name begins with "endpoint-plugin-". The program, which may be a symbolic link
// within its directory, and all directories above it must be writable by nobody but root or the user of this process,
// and the program must be in the lock file of its directory (see [Lock]).
//
// It is started when one of its plugins builds an endpoint, and not before: what plugins there are stands in the lock
// file. One that is not in there, which [AllowUnlocked] lets in, is started at once, to be asked.
func Open(path string, opts ...Option) (*Program, error) {
	p, err := unopened(path, opts)
	if err != nil {
		return nil, err
	}
	if p.description, err = p.describe(); err != nil {
		p.keeper.Close()
		return nil, fmt.Errorf("%s: %w", p.path, err)
	}
	p.plugins = p.makePlugins()
	return p, nil
}

// unopened is the program before it is known what it serves.
func unopened(path string, opts []Option) (*Program, error) {
	if !fdpass.Supported {
		return nil, ErrUnsupported
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := trust.Check(path); err != nil {
		return nil, err
	}
	p := &Program{path: path, options: optionsOf(opts)}
	p.keeper = host.NewKeeper(p.start)
	return p, nil
}

// describe returns what the lock file tells, or else what the program says.
func (p *Program) describe() (*wire.Description, error) {
	entry, locked, err := p.entry()
	switch {
	case err != nil:
		return nil, err
	case locked:
		d := &wire.Description{}
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(entry.Description, d); err != nil {
			return nil, fmt.Errorf("the lock file: %w", err)
		}
		return d, d.Check()
	case !p.options.unlocked || p.options.noStart:
		return nil, errNotLocked()
	}
	session, err := p.keeper.Session(context.Background())
	if err != nil {
		return nil, err
	}
	return session.Describe(context.Background())
}

func errNotLocked() error {
	return fmt.Errorf("it is not in the lock file %s, which holds the programs that may be started", trust.LockName)
}

func (p *Program) entry() (trust.Entry, bool, error) {
	if p.ignoreLock {
		return trust.Entry{}, false, nil
	}
	lock, err := trust.ReadLock(filepath.Dir(p.path))
	if err != nil {
		return trust.Entry{}, false, err
	}
	entry, ok := lock.Programs[filepath.Base(p.path)]
	return entry, ok, nil
}

// start starts the program, if it is the one that was locked.
func (p *Program) start(ctx context.Context) (*host.Session, error) {
	if p.options.noStart {
		return nil, errors.New("it was opened so as to start nothing")
	}
	session, err := p.startTrusted(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s can't be started: %w", p.path, err)
	}
	return session, nil
}

func (p *Program) startTrusted(ctx context.Context) (*host.Session, error) {
	executable, err := p.trusted()
	if err != nil {
		return nil, err
	}
	defer executable.Close()
	p.started = executable.Sum.String()
	name := filepath.Base(p.path)
	command := supervise.Command{
		Path: executable.Path, Name: name, Env: p.options.environment(),
		Tail: supervise.NewTail(name, p.options.stderr, time.Now),
	}
	if executable.Script {
		// Its interpreter opens it again, when the descriptors of this process are closed.
		command.Files = []*os.File{executable.File()}
		command.Path = executable.PathOf(4)
	}
	return host.Start(ctx, command, p.options.startTimeout)
}

// trusted opens the program and compares its checksum with the locked one.
func (p *Program) trusted() (*trust.Executable, error) {
	entry, locked, err := p.entry()
	if err != nil {
		return nil, err
	}
	if !locked && !p.options.unlocked && !p.ignoreLock {
		return nil, errNotLocked()
	}
	executable, err := trust.Open(p.path)
	if err != nil {
		return nil, err
	}
	if locked && entry.SHA256 != executable.Sum.String() {
		executable.Close()
		return nil, &ChecksumError{Path: p.path, Locked: entry.SHA256, Found: executable.Sum.String()}
	}
	return executable, nil
}

// A ChecksumError says that a program is not the one that was locked.
type ChecksumError struct {
	Path          string
	Locked, Found string // SHA-256, hexadecimal
}

// Error names the program.
func (e *ChecksumError) Error() string {
	return fmt.Sprintf("it is not the program that was locked: its SHA-256 is %s, and not %s", e.Found, e.Locked)
}

// Plugins returns the plugins of the program, in the order in which it tells them.
func (p *Program) Plugins() []registry.Plugin { return p.plugins }

// Path is where the program is.
func (p *Program) Path() string { return p.path }

// Version is what the program says is its version; it may be "".
func (p *Program) Version() string { return p.description.Version }

// PID is the number of the program's process, 0 where it does not run.
func (p *Program) PID() int {
	if s := p.keeper.Running(); s != nil {
		return s.PID()
	}
	return 0
}

// Restart has the program that is at the path now take over from the one that runs, as after an upgrade: it is checked and
// started, and what begins from then on goes there. The old process goes on with what is open in it and ends when nothing
// is, so that an upgrade breaks nothing. The error says why the new one can't take over, and the old one stays then: also
// because its plugins or their parameters are others, for which the program has to be opened anew. A program that was
// disabled may be started again.
func (p *Program) Restart(ctx context.Context) error {
	return p.keeper.Replace(ctx, func(s *host.Session) error {
		d, err := s.Describe(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", p.path, err)
		}
		if !slices.EqualFunc(d.Plugins, p.description.Plugins, func(a, b *wire.PluginInfo) bool { return proto.Equal(a, b) }) {
			return fmt.Errorf("%s: its plugins are not what they were: it has to be opened anew", p.path)
		}
		return nil
	})
}

// Close ends the program: it is asked to end, and killed after two seconds, with all that it has started. What is under
// way in it fails with [ErrPluginGone]. Connections that are sockets live on. The error is nil.
func (p *Program) Close() error {
	p.keeper.Close()
	return nil
}
