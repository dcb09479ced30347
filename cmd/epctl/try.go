package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

type tryCmd struct {
	String  string        `arg:"" name:"string" help:"Endpoint string."`
	Role    roleFlag      `placeholder:"ROLE" help:"Try it in this role; otherwise in the first that it can play of server, client, packet-server and packet-client."`
	Timeout time.Duration `default:"10s" help:"Give up after this time."`
	JSON    bool          `name:"json" help:"Write JSON."`
}

func (c *tryCmd) Help() string {
	return "A server is listened on; the client that matches it connects to each of its addresses, and 1 MiB goes each way, every byte compared, with a half-close after each; of datagrams some go each way. A multicast endpoint sends to each group that it has joined, and reports who heard it. With a client the connection alone is tried."
}

func (c *tryCmd) wanted() []registry.Role {
	if c.Role != "" {
		return []registry.Role{registry.Role(c.Role)}
	}
	return []registry.Role{registry.RoleServer, registry.RoleClient, registry.RolePacketServer, registry.RolePacketClient}
}

// A trial is what a try found out, in its JSON form.
type trial struct {
	Input  string           `json:"input"`
	Role   registry.Role    `json:"role,omitempty"`
	OK     bool             `json:"ok"`
	Error  string           `json:"error,omitempty"`
	Errors []*grammar.Error `json:"errors,omitempty"` // of the string
	// Certificate tells of one that was made for the server, "" where it has its own or needs none.
	Certificate string     `json:"certificate,omitempty"`
	Tries       []*attempt `json:"tries"` // one an address
	Events      []event    `json:"events"`

	made   *throwaway // the certificate
	dir    string     // of other files
	mu     sync.Mutex
	events []trace.Event
	dial   *picture // of a client
}

// An attempt is one connection, or one exchange of datagrams, of a trial.
type attempt struct {
	Listening string        `json:"listening,omitempty"`
	Client    string        `json:"client,omitempty"` // the string of the client
	Local     string        `json:"local,omitempty"`  // addresses of the client's socket
	Remote    string        `json:"remote,omitempty"`
	ConnectMS float64       `json:"connectMs"`
	TLS       *negotiated   `json:"tls,omitempty"`
	Verified  *verification `json:"verified,omitempty"` // of the server's certificate by the client
	Trusted   string        `json:"trusted,omitempty"`  // why a client that was made for the server does
	ToServer  *transfer     `json:"toServer,omitempty"`
	ToClient  *transfer     `json:"toClient,omitempty"`
	Heard     []string      `json:"heard,omitempty"` // of a group: what was heard on which interface, from whom
	HalfClose bool          `json:"halfClose"`
	Options   tryOptions    `json:"options"`
	Error     string        `json:"error,omitempty"`

	connect time.Duration
}

// A transfer is what went one way and was right, byte by byte.
type transfer struct {
	Bytes     int     `json:"bytes"`
	Datagrams int     `json:"datagrams,omitempty"`
	MS        float64 `json:"ms"`
	PerSecond float64 `json:"bytesPerSecond"`
	elapsed   time.Duration
}

func newTransfer(bytes, datagrams int, d time.Duration) *transfer {
	return &transfer{bytes, datagrams, milliseconds(d), float64(bytes) / max(d, 1).Seconds(), d}
}

// Run tries the string, and reports whatever came of it.
func (c *tryCmd) Run(ctx context.Context, a *app) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("not done after %s", c.Timeout))
	defer cancel()
	t := &trial{Input: judge(a.registry, c.String, registry.Role(c.Role)).text, Tries: []*attempt{}, Events: []event{}}
	defer t.clean()
	start := time.Now()
	err := c.try(ctx, a, t)
	if err != nil && ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	if c.JSON {
		return t.json(a, err)
	}
	return errors.Join(t.print(a, start, err), err)
}

func (c *tryCmd) try(ctx context.Context, a *app, t *trial) error {
	s, role, err := t.prepare(ctx, a, c)
	if err != nil {
		return err
	}
	t.Role = role
	ctx = trace.With(ctx, t.record)
	switch role {
	case registry.RoleServer:
		return t.server(ctx, a, s)
	case registry.RolePacketServer:
		return t.packetServer(ctx, a, s)
	case registry.RoleClient, registry.RolePacketClient:
		at := t.attempt(s, a)
		ctx, t.dial = pictured(ctx, traceText, "")
		conn, err := at.dial(ctx, a, s, role)
		t.dial.end(conn, err)
		if err != nil {
			return err
		}
		at.Options.Client = settingsOf(conn)
		return conn.Close()
	}
	return fmt.Errorf("a %s can't be tried", role.Noun())
}

// record is a tracer.
func (t *trial) record(e trace.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, e)
}

// attempt begins one by the client that s is.
func (t *trial) attempt(s string, a *app) *attempt {
	at := &attempt{Client: judge(a.registry, s, "").text}
	t.Tries = append(t.Tries, at)
	return at
}

// dial connects, and notes how that went.
func (at *attempt) dial(ctx context.Context, a *app, s string, role registry.Role) (net.Conn, error) {
	start := time.Now()
	conn, err := a.dial(ctx, s, role, 0)
	if err != nil {
		return nil, at.fail(err)
	}
	at.connect = time.Since(start)
	at.ConnectMS = milliseconds(at.connect)
	at.Local, at.Remote = addressText(conn.LocalAddr()), addressText(conn.RemoteAddr())
	if role == registry.RoleClient {
		at.encrypted(a, s, conn)
	}
	return conn, nil
}

func (at *attempt) fail(err error) error {
	if err != nil {
		at.Error = err.Error()
	}
	return err
}
