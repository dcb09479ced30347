package rival

import (
	"context"
	"io"
	"net"
	"strings"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	service = "bench.Relay"
	turned  = "turned:" // before an address
)

// streamPlugin has a stream of messages for each connection.
type streamPlugin struct{ plugin.NetRPCUnsupportedPlugin }

func (streamPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(&grpc.ServiceDesc{ServiceName: service, Streams: []grpc.StreamDesc{
		{StreamName: "Dial", Handler: serveStream, ServerStreams: true, ClientStreams: true}}}, nil)
	return nil
}

func (streamPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return streamDialer{conn}, nil
}

// serveStream relays; the first message is the address.
func serveStream(_ any, stream grpc.ServerStream) error {
	var first wrapperspb.BytesValue
	if err := stream.RecvMsg(&first); err != nil {
		return err
	}
	address, isTurned := strings.CutPrefix(string(first.Value), turned)
	conn, err := Request{address, isTurned}.dial()
	if err != nil {
		return err
	}
	relay(&messages{stream: stream, end: func() { _ = conn.Close() }}, conn)
	return nil
}

type streamDialer struct{ conn *grpc.ClientConn }

func (d streamDialer) Dial(address string, isTurned bool) (net.Conn, error) {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := d.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+service+"/Dial")
	if err != nil {
		cancel()
		return nil, err
	}
	if isTurned {
		address = turned + address
	}
	if err := stream.SendMsg(wrapperspb.Bytes([]byte(address))); err != nil {
		cancel()
		return nil, err
	}
	return streamConn{&messages{stream: stream, end: cancel}, nil}, nil
}

// A streamConn has of a connection what is measured.
type streamConn struct {
	*messages
	net.Conn // nil
}

func (c streamConn) Read(b []byte) (int, error)  { return c.messages.Read(b) }
func (c streamConn) Write(b []byte) (int, error) { return c.messages.Write(b) }
func (c streamConn) Close() error                { return c.messages.Close() }

// messages are bytes over messages.
type messages struct {
	stream interface {
		SendMsg(any) error
		RecvMsg(any) error
	}
	end  func()
	rest []byte
}

func (m *messages) Read(b []byte) (int, error) {
	if len(m.rest) == 0 {
		var next wrapperspb.BytesValue
		if err := m.stream.RecvMsg(&next); err != nil {
			return 0, err
		}
		m.rest = next.Value
	}
	n := copy(b, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

func (m *messages) Write(b []byte) (int, error) {
	for sent := 0; sent < len(b); sent += chunk {
		if err := m.stream.SendMsg(wrapperspb.Bytes(b[sent:min(len(b), sent+chunk)])); err != nil {
			return sent, err
		}
	}
	return len(b), nil
}

func (m *messages) Close() error {
	m.end()
	return nil
}

var _ io.ReadWriteCloser = (*messages)(nil)
