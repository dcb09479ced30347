package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/epctl/endpoint/bench/external/internal/rival"
	"github.com/epctl/endpoint/bench/external/internal/turn"
	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/plugins/tcp4"
	"github.com/epctl/endpoint/registry"
)

// A lab has everything that is measured: the programs, started, and a peer on loopback.
type lab struct {
	size    size
	dir     string
	peer    *peer
	program *external.Program
	inside  *registry.Registry
	outside *registry.Registry
	rivals  map[string]rival.Dialer
	closers []func()
}

const (
	pluginProgram = "endpoint-plugin-bench"
	rivalProgram  = "rivals"
	emptyProgram  = "empty"
)

func newLab(ctx context.Context, s size) (*lab, error) {
	l := &lab{size: s, rivals: map[string]rival.Dialer{}}
	if err := l.open(ctx); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lab) open(ctx context.Context) error {
	if err := l.build(ctx); err != nil {
		return err
	}
	var err error
	if l.peer, err = newPeer(); err != nil {
		return err
	}
	l.closers = append(l.closers, l.peer.close)
	if l.program, err = l.start(); err != nil {
		return err
	}
	l.closers = append(l.closers, func() { _ = l.program.Close() })
	if l.inside, err = registry.New(tcp4.Plugin, turn.Plugin); err != nil {
		return err
	}
	if l.outside, err = registry.New(l.program.Plugins()...); err != nil {
		return err
	}
	return l.startRivals()
}

// build builds the programs.
func (l *lab) build(ctx context.Context) (err error) {
	if l.dir, err = os.MkdirTemp("", "bench-external"); err != nil {
		return err
	}
	l.closers = append(l.closers, func() { _ = os.RemoveAll(l.dir) })
	const here = "github.com/epctl/endpoint/bench/external/"
	for program, source := range map[string]string{pluginProgram: "plugin", rivalProgram: "rivals", emptyProgram: "empty"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", l.path(program), here+source)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	return nil
}

func (l *lab) path(program string) string { return filepath.Join(l.dir, program) }

// start starts the plugin's program. One that was just built is in no lock file.
func (l *lab) start() (*external.Program, error) {
	return external.Open(l.path(pluginProgram), external.AllowUnlocked())
}

func (l *lab) startRivals() error {
	for name, how := range map[string]struct {
		kind string
		tls  bool
	}{
		overStream: {"grpc", false}, overStreamTLS: {"grpc", true}, overBroker: {"broker", false}, overBrokerTLS: {"broker", true},
	} {
		dialer, stop, err := rival.Start(l.path(rivalProgram), how.kind, how.tls)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		l.rivals[name] = dialer
		l.closers = append(l.closers, stop)
	}
	return nil
}

func (l *lab) close() {
	for i := len(l.closers) - 1; i >= 0; i-- {
		l.closers[i]()
	}
}

// client describes a client of the peer.
func (l *lab) client(prefix string) string {
	host, port, _ := net.SplitHostPort(l.peer.address())
	return prefix + "tcp4:" + host + ":" + port
}
