package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"

	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/registry"
)

// A Local is what one process lets the other use.
type Local struct {
	line *fdpass.Conn
	log  func(string) // told of panics, with the stack

	mu        sync.Mutex
	endpoints map[uint64]any
	listeners map[uint64]*kept
}

// NewLocal makes an empty one that sends descriptors over line.
func NewLocal(line *fdpass.Conn, log func(string)) *Local {
	return &Local{line: line, log: log, endpoints: map[uint64]any{}, listeners: map[uint64]*kept{}}
}

// Add lets the other process use an endpoint, of the type of a role's interface, under a number.
func (l *Local) Add(number uint64, role registry.Role, endpoint any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endpoints[number] = inRole{role, endpoint}.opener()
}

// Remove forgets an endpoint.
func (l *Local) Remove(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.endpoints, number)
}

// Close closes all listeners.
func (l *Local) Close() {
	l.mu.Lock()
	listeners := l.listeners
	l.listeners = map[uint64]*kept{}
	l.mu.Unlock()
	for _, k := range listeners {
		_ = k.close()
	}
}

// Do carries out a call. A panic of the endpoint becomes an error.
func (l *Local) Do(ctx context.Context, call *wire.Call) (result *wire.Result) {
	defer func() {
		if p := recover(); p != nil {
			l.log(fmt.Sprintf("panic: %v\n%s", p, debug.Stack()))
			result = failed(fmt.Errorf("panicked: %v", p))
		}
	}()
	result, err := l.do(ctx, call)
	if err != nil {
		return failed(err)
	}
	return result
}

func failed(err error) *wire.Result {
	return &wire.Result{Is: &wire.Result_Error{Error: wire.ErrorOf(err)}}
}

func (l *Local) do(ctx context.Context, call *wire.Call) (*wire.Result, error) {
	switch call.Operation {
	case wire.Call_OPEN:
		return l.open(ctx, call)
	case wire.Call_LOOKUP:
		return l.lookup(ctx, call)
	case wire.Call_ACCEPT:
		return l.accept(ctx, call)
	case wire.Call_CLOSE:
		return &wire.Result{Is: &wire.Result_Closed{Closed: &wire.Closed{}}}, l.closeListener(call.Target)
	}
	return nil, fmt.Errorf("operation %v is not known", call.Operation)
}

// An opener opens what an endpoint of some role opens.
type opener func(ctx context.Context, g giver) (*wire.Socket, error)

// An inRole is an endpoint that is asked to be one thing of those that it may be.
type inRole struct {
	role     registry.Role
	endpoint any
}

func (r inRole) opener() any {
	switch e := r.endpoint.(type) {
	case registry.Client:
		if r.role == registry.RoleClient {
			return openWith(e.Dial, giver.stream)
		}
	}
	switch e := r.endpoint.(type) {
	case registry.Server:
		if r.role == registry.RoleServer {
			return openWith(e.Listen, giver.listener)
		}
	}
	switch e := r.endpoint.(type) {
	case registry.PacketClient:
		if r.role == registry.RolePacketClient {
			return openWith(e.DialPacket, giver.datagrams)
		}
	}
	switch e := r.endpoint.(type) {
	case registry.PacketServer:
		if r.role == registry.RolePacketServer {
			return openWith(e.ListenPacket, giver.packets)
		}
	}
	return r.endpoint
}

func openWith[T any](open func(context.Context) (T, error), give func(giver, T) (*wire.Socket, error)) opener {
	return func(ctx context.Context, g giver) (*wire.Socket, error) {
		v, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return give(g, v)
	}
}

func (l *Local) endpoint(number uint64) (any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.endpoints[number]
	if !ok {
		return nil, fmt.Errorf("there is no endpoint of the number %d", number)
	}
	return e, nil
}

func (l *Local) open(ctx context.Context, call *wire.Call) (*wire.Result, error) {
	e, err := l.endpoint(call.Target)
	if err != nil {
		return nil, err
	}
	open, ok := e.(opener)
	if !ok {
		return nil, errors.New("the endpoint can't be opened")
	}
	socket, err := open(ctx, giver{l, call.Id})
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		// Nobody waits for the result. A descriptor that comes unexpected is closed by who gets it, a listener is not.
		_ = l.closeListener(call.Id)
		return nil, ctx.Err()
	}
	return opening(socket), nil
}

func opening(s *wire.Socket) *wire.Result { return &wire.Result{Is: &wire.Result_Socket{Socket: s}} }

func (l *Local) lookup(ctx context.Context, call *wire.Call) (*wire.Result, error) {
	e, err := l.endpoint(call.Target)
	if err != nil {
		return nil, err
	}
	resolver, ok := e.(registry.Resolver)
	if !ok {
		return nil, errors.New("the endpoint resolves nothing")
	}
	addrs, err := resolver.LookupNetIP(ctx, call.Network, call.Host)
	if err != nil {
		return nil, err
	}
	return &wire.Result{Is: &wire.Result_Addresses{Addresses: wire.AddressesOf(addrs)}}, nil
}

func (l *Local) accept(ctx context.Context, call *wire.Call) (*wire.Result, error) {
	l.mu.Lock()
	k := l.listeners[call.Target]
	l.mu.Unlock()
	if k == nil {
		return nil, net.ErrClosed
	}
	conn, err := k.accept(ctx)
	if err != nil {
		return nil, err
	}
	socket, err := giver{l, call.Id}.stream(conn)
	if err != nil {
		return nil, err
	}
	return opening(socket), nil
}

func (l *Local) closeListener(number uint64) error {
	l.mu.Lock()
	k := l.listeners[number]
	delete(l.listeners, number)
	l.mu.Unlock()
	if k == nil {
		return nil
	}
	return k.close()
}
