// Package guest is a plugin's side of the line between two processes: it serves plugins to the process that has started
// this one.
package guest

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/epctl/endpoint/external/internal/contract"
	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/peer"
	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/registry"

	"context"
)

// lastWork is how long a plugin may take to end when its host wants it to.
const lastWork = time.Second

// Started reports whether this process was started as a plugin.
func Started() bool { return os.Getenv(contract.Cookie) == contract.CookieValue }

// Serve serves plugins until the host wants it to end, or is gone.
func Serve(plugins []registry.Plugin) error {
	line, err := fdpass.New(os.NewFile(contract.LineFD, "line"))
	if err != nil {
		return fmt.Errorf("the host has left no line for descriptors: %w", err)
	}
	endWithHost()
	s := newServer(plugins, line)
	go func() {
		_ = line.Run()
		s.local.Close()
		// The host is gone, or does not want this process. It ends by itself, unless something holds it.
		time.Sleep(lastWork)
		vanish()
	}()
	sets := map[int]plugin.PluginSet{}
	for _, v := range contract.Versions() {
		sets[v] = plugin.PluginSet{contract.Service: service{server: s}}
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  contract.Handshake(),
		VersionedPlugins: sets,
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.InitialWindowSize(contract.Window), grpc.InitialConnWindowSize(contract.Window))...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Error, Output: os.Stderr}),
	})
	s.local.Close()
	return nil
}

// service is what go-plugin serves.
type service struct {
	plugin.NetRPCUnsupportedPlugin
	server *server
}

func (s service) GRPCServer(_ *plugin.GRPCBroker, g *grpc.Server) error {
	wire.RegisterPluginServer(g, s.server)
	return nil
}

func (service) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin is no host")
}

// A server serves plugins.
type server struct {
	wire.UnimplementedPluginServer
	plugins []registry.Plugin
	local   *peer.Local
	host    *host
}

func newServer(plugins []registry.Plugin, line *fdpass.Conn) *server {
	log := func(text string) { fmt.Fprintln(os.Stderr, text) }
	return &server{plugins: plugins, local: peer.NewLocal(line, log), host: newHost(line)}
}

// Describe tells what is served.
func (s *server) Describe(context.Context, *wire.DescribeRequest) (*wire.Description, error) {
	return Describe(s.plugins), nil
}

// Describe is what plugins are, as it is told.
func Describe(plugins []registry.Plugin) *wire.Description {
	d := &wire.Description{}
	for _, p := range plugins {
		d.Plugins = append(d.Plugins, &wire.PluginInfo{Name: p.Name, Doc: p.Doc, Roles: wire.RolesOf(p)})
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "(devel)" {
		d.Version = info.Main.Version
	}
	return d
}

// Release forgets an endpoint.
func (s *server) Release(_ context.Context, r *wire.ReleaseRequest) (*wire.ReleaseReply, error) {
	s.local.Remove(r.Endpoint)
	return &wire.ReleaseReply{}, nil
}
