package external

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/epctl/endpoint/external/internal/host"
	"github.com/epctl/endpoint/external/internal/peer"
	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/registry"
)

// An endpoint is one that a plugin builds in its process: anew where the process is another.
type endpoint struct {
	kind
	args    registry.Args
	secrets bool // some have to be read at each use
	state   *state
}

// A state is what there is of an endpoint in a process.
type state struct {
	mu   sync.Mutex
	last *instance
}

// An instance is an endpoint in a process.
type instance struct {
	session *host.Session
	number  uint64
	lent    []uint64
	secrets [sha256.Size]byte // of the arguments that it was built with, where they hold secrets
}

func newEndpoint(k kind, args registry.Args) *endpoint {
	e := &endpoint{kind: k, args: args, secrets: hasReferences(args), state: &state{}}
	runtime.AddCleanup(e, (*state).release, e.state)
	return e
}

// release has the process forget what nobody uses any more.
func (s *state) release() {
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	if last != nil {
		go last.release()
	}
}

func (i *instance) release() { i.session.Release(i.number, i.lent) }

// check builds the endpoint. One with secrets that are read when they are used is built without them, and not kept.
func (e *endpoint) check(ctx context.Context) error {
	if !e.secrets {
		_, err := e.instance(ctx)
		return err
	}
	session, err := e.program.keeper.Session(ctx)
	if err != nil {
		return whole(err)
	}
	i, err := e.build(ctx, session, sealed(ctx))
	if err == nil {
		i.release()
	}
	return err
}

// instance returns the endpoint in the running process.
func (e *endpoint) instance(ctx context.Context) (*instance, error) {
	session, err := e.program.keeper.Session(ctx)
	if err != nil {
		return nil, whole(err)
	}
	e.state.mu.Lock()
	defer e.state.mu.Unlock()
	last := e.state.last
	if last != nil && last.session == session && !e.secrets {
		return last, nil
	}
	i, err := e.build(ctx, session, revealed(ctx))
	if err != nil {
		return nil, err
	}
	if last != nil && last.session == session {
		if last.secrets == i.secrets {
			go i.release()
			return last, nil
		}
		go last.release()
	}
	e.state.last = i
	return i, nil
}

func (e *endpoint) build(ctx context.Context, session *host.Session, secret func(registry.Secret) (string, error)) (*instance, error) {
	i := &instance{session: session, number: session.NextID()}
	encoder := wire.Encoder{Secret: secret, Endpoint: func(role registry.Role, inner any) uint64 {
		number := session.Lend(role, inner)
		i.lent = append(i.lent, number)
		return number
	}}
	args, err := encoder.Args(e.args)
	if err != nil {
		return nil, err
	}
	request := &wire.BuildRequest{Endpoint: i.number, Plugin: e.plugin, Role: string(e.role), Args: args}
	if e.secrets {
		i.secrets = digest(args)
	}
	reply, err := session.Build(ctx, request)
	if err != nil {
		err = whole(err)
	} else {
		err = problems(reply)
	}
	if err != nil {
		go i.release()
		return nil, err
	}
	return i, nil
}

// digest tells whether two builds got the same secrets. Arguments whose values are endpoints have other numbers each
// time, and are left out.
func digest(args []*wire.Arg) [sha256.Size]byte {
	h := sha256.New()
	for _, a := range args {
		if _, inner := a.Value.GetIs().(*wire.Value_Endpoint); inner || a.Value.GetList() != nil {
			continue
		}
		b, _ := proto.MarshalOptions{Deterministic: true}.Marshal(a)
		h.Write(b)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// open returns the endpoint for one use.
func (e *endpoint) open(ctx context.Context, op string) (any, error) {
	i, err := e.instance(ctx)
	if err != nil {
		return nil, &net.OpError{Op: op, Net: e.plugin, Err: err}
	}
	return peer.Remote{Caller: i.session, Target: i.number, Name: e.plugin, Owner: e}.Endpoint(e.role), nil
}

// inRole is the endpoint as one of its role's interface.
func (e *endpoint) inRole() any {
	switch e.role {
	case registry.RoleClient:
		return client{e}
	case registry.RoleServer:
		return server{e}
	case registry.RolePacketClient:
		return packetClient{e}
	case registry.RolePacketServer:
		return packetServer{e}
	case registry.RoleResolver:
		return resolver{e}
	}
	panic(fmt.Sprintf("external: role %q was not checked", e.role))
}

type client struct{ *endpoint }

func (c client) Dial(ctx context.Context) (net.Conn, error) {
	r, err := c.open(ctx, "dial")
	if err != nil {
		return nil, err
	}
	return r.(registry.Client).Dial(ctx)
}

type server struct{ *endpoint }

func (s server) Listen(ctx context.Context) (net.Listener, error) {
	r, err := s.open(ctx, "listen")
	if err != nil {
		return nil, err
	}
	return r.(registry.Server).Listen(ctx)
}

type packetClient struct{ *endpoint }

func (c packetClient) DialPacket(ctx context.Context) (net.Conn, error) {
	r, err := c.open(ctx, "dial")
	if err != nil {
		return nil, err
	}
	return r.(registry.PacketClient).DialPacket(ctx)
}

type packetServer struct{ *endpoint }

func (s packetServer) ListenPacket(ctx context.Context) (net.PacketConn, error) {
	r, err := s.open(ctx, "listen")
	if err != nil {
		return nil, err
	}
	return r.(registry.PacketServer).ListenPacket(ctx)
}

type resolver struct{ *endpoint }

func (r resolver) LookupNetIP(ctx context.Context, network, name string) ([]netip.Addr, error) {
	remote, err := r.open(ctx, "lookup")
	if err != nil {
		return nil, err
	}
	return remote.(registry.Resolver).LookupNetIP(ctx, network, name)
}
