// Package rival is the same plugin as it would be over go-plugin alone: one that dials TCP in its own process, and whose
// bytes go over a gRPC stream, or over the broker that go-plugin has for connections.
package rival

import (
	"io"
	"net"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"github.com/epctl/endpoint/bench/external/internal/turn"
)

// chunk is how much is moved at once.
const chunk = 64 << 10

// variable of the environment tells the program which of the two it is.
const variable = "BENCH_RIVAL"

func handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "BENCH", MagicCookieValue: "rival"}
}

func plugins(kind string) plugin.PluginSet {
	if kind == "grpc" {
		return plugin.PluginSet{"relay": streamPlugin{}}
	}
	return plugin.PluginSet{"relay": brokerPlugin{}}
}

// Serve is the plugin's program.
func Serve() {
	config := &plugin.ServeConfig{HandshakeConfig: handshake(), Plugins: plugins(os.Getenv(variable)), Logger: hclog.NewNullLogger()}
	if os.Getenv(variable) == "grpc" {
		config.GRPCServer = plugin.DefaultGRPCServer
	}
	plugin.Serve(config)
}

// A Dialer dials in another process. Turned connections are transformed there.
type Dialer interface {
	Dial(address string, turned bool) (net.Conn, error)
}

// Start starts the program at path as one of the kinds grpc and broker, with mutual TLS between the two processes or
// without. It ends by the function that is returned.
func Start(path, kind string, tls bool) (Dialer, func(), error) {
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), variable+"="+kind)
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: handshake(), Plugins: plugins(kind), Cmd: cmd, AutoMTLS: tls, Logger: hclog.NewNullLogger(),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolNetRPC, plugin.ProtocolGRPC},
	})
	protocol, err := client.Client()
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	raw, err := protocol.Dispense("relay")
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	return raw.(Dialer), client.Kill, nil
}

// A Request says what to dial.
type Request struct {
	Address string
	Turned  bool
}

func (r Request) dial() (net.Conn, error) {
	conn, err := net.Dial("tcp", r.Address)
	if err != nil || !r.Turned {
		return conn, err
	}
	return turn.Conn(conn), nil
}

// relay copies until one side ends.
func relay(a, b io.ReadWriteCloser) {
	ended := make(chan struct{}, 2)
	for _, way := range [][2]io.ReadWriteCloser{{a, b}, {b, a}} {
		go func() {
			_, _ = io.CopyBuffer(struct{ io.Writer }{way[0]}, struct{ io.Reader }{way[1]}, make([]byte, chunk))
			ended <- struct{}{}
		}()
	}
	<-ended
	_, _ = a.Close(), b.Close()
}
