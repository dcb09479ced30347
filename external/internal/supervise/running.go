package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/epctl/endpoint/external/internal/contract"
)

const (
	maxMessage   = 4 << 20 // bytes of a message
	graceful     = 2 * time.Second
	maxSocketDir = 60 // bytes: a unix socket's path has at most 103 to 107, and much of it is added
)

// A Running is a started plugin.
type Running struct {
	client  *plugin.Client
	process *process
	conn    *grpc.ClientConn
	closing sync.Once
	closed  chan struct{}
}

// Start starts a plugin's program and connects to it. It takes at most timeout.
func Start(ctx context.Context, c Command, timeout time.Duration) (*Running, error) {
	p := newProcess(c, nil)
	r := &Running{process: p, closed: make(chan struct{})}
	r.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  contract.Handshake(),
		VersionedPlugins: versions(),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     timeout,
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: socketDir()},
		SyncStdout:       c.Tail,
		SyncStderr:       c.Tail,
		Logger:           hclog.NewNullLogger(),
		GRPCDialOptions: []grpc.DialOption{
			// go-plugin itself allows 2 GiB; what comes later counts.
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
			// A fixed window saves the pings by which gRPC measures the network that is none.
			grpc.WithInitialWindowSize(contract.Window), grpc.WithInitialConnWindowSize(contract.Window),
		},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, dir string) (runner.Runner, error) {
			p.env, p.socketDir = append(cmd.Env, c.Env...), dir
			return p, nil
		},
	})
	if err := r.connect(ctx, timeout); err != nil {
		r.Close()
		return nil, r.explain(err)
	}
	return r, nil
}

// connect is bounded from outside: some of what go-plugin waits for has no limit.
func (r *Running) connect(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("it has not started within %v", timeout))
	defer cancel()
	done := make(chan error, 1)
	go func() {
		conn, err := r.dispense()
		r.conn = conn
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		r.process.kill()
		<-done
		return context.Cause(ctx)
	}
}

func (r *Running) dispense() (*grpc.ClientConn, error) {
	client, err := r.client.Client()
	if err != nil {
		return nil, err
	}
	conn, err := client.Dispense(contract.Service)
	if err != nil {
		return nil, err
	}
	return conn.(*grpc.ClientConn), nil
}

// explain says why a plugin did not start, with its last words.
func (r *Running) explain(err error) error {
	if problem := r.process.problem(contract.Versions()); problem != "" {
		err = errors.New(problem)
	} else if exit := r.process.exit(); exit != "" && !errors.Is(err, context.DeadlineExceeded) && strings.Contains(err.Error(), "plugin") {
		err = errors.New(exit)
	}
	if tail := r.process.command.Tail.String(); tail != "" {
		return fmt.Errorf("%w; its last words:\n%s", err, tail)
	}
	return err
}

// Conn is the connection over which the plugin is called.
func (r *Running) Conn() *grpc.ClientConn { return r.conn }

// PID is the number of the process.
func (r *Running) PID() int { return r.process.cmd.Process.Pid }

// Exited is closed when the program has ended.
func (r *Running) Exited() <-chan struct{} { return r.process.exited }

// Close asks the program to end, kills it with its group after two seconds, and waits for another one at most.
func (r *Running) Close() {
	r.closing.Do(func() {
		defer close(r.closed)
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.client.Kill()
		}()
		timer := time.NewTimer(graceful)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
		}
		_ = r.process.Kill(context.Background())
		timer.Reset(reapTimeout)
		select {
		case <-done:
		case <-timer.C:
		}
		if r.process.socketDir != "" {
			// go-plugin leaves it where the program did not start.
			_ = os.RemoveAll(r.process.socketDir)
		}
	})
	<-r.closed
}

func versions() map[int]plugin.PluginSet {
	sets := map[int]plugin.PluginSet{}
	for _, v := range contract.Versions() {
		sets[v] = plugin.PluginSet{contract.Service: grpcPlugin{}}
	}
	return sets
}

type grpcPlugin struct{ plugin.NetRPCUnsupportedPlugin }

func (grpcPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

func (grpcPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("the host serves nothing")
}

// socketDir is where go-plugin makes a directory of mode 0700 for the plugin's socket; "" is the usual place.
func socketDir() string {
	if dir := os.TempDir(); len(dir) <= maxSocketDir && filepath.IsAbs(dir) {
		return ""
	}
	return "/tmp"
}
