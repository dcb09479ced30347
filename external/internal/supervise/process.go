// Package supervise starts the program of a plugin, watches it, and ends it.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

const (
	// What a dead program has said is read for so long, as others may hold its pipes open.
	pipeTimeout = 200 * time.Millisecond
	reapTimeout = time.Second
	pipeSize    = 64 << 10 // bytes that a pipe holds
)

// A Command says how a plugin is started.
type Command struct {
	Path  string     // what is executed
	Name  string     // for people
	Files []*os.File // descriptors 3 and on
	Env   []string
	Tail  *Tail
}

// A process is a started program, the leader of a process group of its own. It is what go-plugin calls a runner.
type process struct {
	command Command
	env     []string
	stdout  *handshake

	socketDir string // that go-plugin has made

	cmd    *exec.Cmd
	exited chan struct{} // closed when it is reaped, and its group killed
	err    error         // how it ended; set before exited is closed

	mu     sync.Mutex
	killed bool
	reaped bool
}

func newProcess(c Command, env []string) *process {
	return &process{command: c, env: env, exited: make(chan struct{})}
}

// Start starts the program. The thread that does it lives as long as the program, which on Linux dies with the thread
// that has started it.
func (p *process) Start(context.Context) error {
	started := make(chan error, 1)
	go func() {
		defer close(p.exited)
		// Never unlocked: what is set for the thread ends with it.
		lockThread()
		stderr, err := p.start()
		started <- err
		if err != nil {
			p.err = err
			return
		}
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			_, _ = io.Copy(p.command.Tail, stderr)
			// Where the time was over before this goroutine had any, what is there is read still.
			_ = stderr.SetReadDeadline(time.Time{})
			_, _ = p.command.Tail.Write(available(stderr))
		}()
		p.err = p.reap()
		limit := time.Now().Add(pipeTimeout)
		_ = stderr.SetReadDeadline(limit)
		<-drained
		_ = stderr.Close()
		_ = p.stdout.Close()
	}()
	return <-started
}

func (p *process) start() (stderr *os.File, err error) {
	out, outWriter, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer outWriter.Close()
	stderr, errWriter, err := os.Pipe()
	if err != nil {
		_ = out.Close()
		return nil, err
	}
	defer errWriter.Close()
	p.stdout = &handshake{pipe: out}
	// Standard input is /dev/null: cmd.Stdin is nil.
	keepDescriptors()
	if err := p.exec(outWriter, errWriter); err != nil {
		_, _ = out.Close(), stderr.Close()
		return nil, explain(err)
	}
	return stderr, nil
}

func (p *process) exec(stdout, stderr *os.File) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed {
		return context.Canceled
	}
	cmd := &exec.Cmd{
		Path: p.command.Path, Args: []string{p.command.Name}, Env: p.env, Dir: "/",
		Stdout: stdout, Stderr: stderr, ExtraFiles: p.command.Files, SysProcAttr: processAttributes(),
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd = cmd
	return nil
}

// explain leaves out of an error the path that is executed, which is none that a person knows.
func explain(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if strings.Contains(err.Error(), "exec format error") {
		return fmt.Errorf("%w: it is built for another system or machine, or is no program", err)
	}
	return err
}

// reap waits for the program to end and kills what is left of its group, before the number of the group can be that of
// another where the system allows it.
func (p *process) reap() error {
	pid := p.cmd.Process.Pid
	var err error
	waits := waitExited(pid)
	if !waits {
		err = p.cmd.Wait()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	killGroup(pid)
	if waits {
		err = p.cmd.Wait()
	}
	p.reaped = true
	return err
}

// Wait waits for the program to end.
func (p *process) Wait(context.Context) error {
	<-p.exited
	return p.err
}

// Kill kills the program and all in its group, at once, and waits at most a second for it.
func (p *process) Kill(context.Context) error {
	p.kill()
	timer := time.NewTimer(reapTimeout)
	defer timer.Stop()
	select {
	case <-p.exited:
		return nil
	case <-timer.C:
		return errors.New("the program does not end though it was killed")
	}
}

// ID is the number of the process.
func (p *process) ID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return "" // go-plugin takes it for not started
	}
	return itoa(p.cmd.Process.Pid)
}

// Name is the program's.
func (p *process) Name() string { return p.command.Name }

// Stdout is where the program says how it is reached.
func (p *process) Stdout() io.ReadCloser { return p.stdout }

// Stderr is empty: what the program writes goes to its tail.
func (p *process) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Diagnose has nothing to say that errors do not say anyway.
func (p *process) Diagnose(context.Context) string { return "" }

// PluginToHost and HostToPlugin change nothing: both processes see the same files.
func (p *process) PluginToHost(network, addr string) (string, string, error) {
	if network != "unix" {
		return "", "", fmt.Errorf("it is reached over %q, not over a unix socket", network)
	}
	return network, addr, nil
}
func (p *process) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}

// kill is Kill without the wait.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = true
	if p.cmd != nil && !p.reaped {
		killGroup(p.cmd.Process.Pid)
	}
}

// problem says what is wrong with what the program has said first.
func (p *process) problem(versions []int) string {
	if p.stdout == nil {
		return ""
	}
	return p.stdout.problem(versions)
}

// exit says how the program has ended, "" while it has not.
func (p *process) exit() string {
	select {
	case <-p.exited:
	default:
		return ""
	}
	if p.err != nil {
		return "it ended at once: " + p.err.Error()
	}
	return "it ended at once"
}
