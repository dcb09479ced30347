package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/epctl/endpoint/external/internal/peer"
	"github.com/epctl/endpoint/external/internal/wire"
	"github.com/epctl/endpoint/registry"
)

// Build makes an endpoint, or tells what is wrong with its arguments.
func (s *server) Build(_ context.Context, r *wire.BuildRequest) (*wire.BuildReply, error) {
	i := slices.IndexFunc(s.plugins, func(p registry.Plugin) bool { return p.Name == r.Plugin })
	if i < 0 {
		return nil, status.Errorf(codes.NotFound, "no plugin is called %q", r.Plugin)
	}
	p, role := s.plugins[i], registry.Role(r.Role)
	args, err := wire.Decoder{Endpoint: s.inner}.Args(p.Params(role), r.Args)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	endpoint, err := build(p, role, args)
	if err != nil {
		return collect(err, &wire.BuildReply{}), nil
	}
	s.local.Add(r.Endpoint, role, endpoint)
	return &wire.BuildReply{}, nil
}

func (s *server) inner(role registry.Role, number uint64) any {
	return peer.Remote{Caller: s.host, Target: number, Name: "inner"}.Endpoint(role)
}

// build makes a panic of the plugin an error.
func build(p registry.Plugin, role registry.Role, args registry.Args) (endpoint any, err error) {
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", v, debug.Stack())
			err = fmt.Errorf("panicked: %v", v)
		}
	}()
	endpoint, err = p.Build(role, args)
	if err == nil && endpoint == nil {
		err = errors.New("no endpoint was built (a bug of the plugin)")
	}
	return endpoint, err
}

// collect takes the faults out of an error, in the way of package registry.
func collect(err error, reply *wire.BuildReply) *wire.BuildReply {
	var fault *registry.Fault
	var about interface{ BadParam() (string, string) }
	joined, several := err.(interface{ Unwrap() []error })
	switch {
	case several:
		for _, e := range joined.Unwrap() {
			collect(e, reply)
		}
	case errors.As(err, &fault):
		reply.Faults = append(reply.Faults, &wire.Fault{Param: wire.Valid(fault.Param), Message: wire.Valid(fault.Message),
			Fix: wire.Valid(fault.Fix), Also: fault.Also, Use: wire.Valid(fault.Use)})
	case errors.As(err, &about):
		param, with := about.BadParam()
		reply.Faults = append(reply.Faults, &wire.Fault{Param: param, Message: wire.Valid(err.Error()), Also: []string{with}})
	default:
		reply.Errors = append(reply.Errors, wire.ErrorOf(err))
	}
	return reply
}
