package external_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"github.com/epctl/endpoint/external/internal/contract"
	"github.com/epctl/endpoint/external/internal/wire"
)

// hostile is the main function of programs that misbehave before they say how they are reached; "hostile" itself does
// so later.
func hostile(name string) {
	switch name {
	case "hang":
		time.Sleep(time.Hour)
	case "exit":
		fmt.Fprintln(os.Stderr, "out of \x1b[31mcheese")
		os.Exit(7)
	case "silent":
		os.Exit(0)
	case "garbage":
		fmt.Println("hello, \x1b[31mworld")
		time.Sleep(time.Hour)
	case "long":
		fmt.Print(strings.Repeat("x", 70_000))
		time.Sleep(time.Hour)
	case "newer":
		fmt.Println("1|2|unix|/nowhere|grpc|")
		time.Sleep(time.Hour)
	case "netrpc":
		fmt.Println("1|1|unix|/nowhere|netrpc|")
		time.Sleep(time.Hour)
	case "nowhere":
		fmt.Println("1|1|unix|/nowhere|grpc|")
		time.Sleep(time.Hour)
	case "overtcp":
		fmt.Println("1|1|tcp|127.0.0.1:1|grpc|")
		time.Sleep(time.Hour)
	case "holder":
		child := exec.Command("sleep", "1000")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		_ = child.Start()
		os.Exit(9)
	case "flood":
		for i := range 100_000 {
			fmt.Fprintln(os.Stderr, "flood", i)
		}
		os.Exit(8)
	default:
		serveHostile(name)
	}
}

// serveHostile serves the plugin bad, which misbehaves in the way that its parameter says. The name of the program says
// how it describes itself.
func serveHostile(name string) {
	s := &badServer{name: name, line: os.NewFile(contract.LineFD, "line"), how: map[uint64]string{}}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  contract.Handshake(),
		VersionedPlugins: map[int]plugin.PluginSet{1: {contract.Service: badService{server: s}}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.MaxSendMsgSize(64<<20))...)
		},
	})
}

type badService struct {
	plugin.NetRPCUnsupportedPlugin
	server *badServer
}

func (s badService) GRPCServer(_ *plugin.GRPCBroker, g *grpc.Server) error {
	wire.RegisterPluginServer(g, s.server)
	return nil
}

func (badService) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

type badServer struct {
	wire.UnimplementedPluginServer
	name string
	line *os.File
	mu   sync.Mutex
	how  map[uint64]string
}

func (s *badServer) Describe(context.Context, *wire.DescribeRequest) (*wire.Description, error) {
	params := []*wire.Param{{Name: "how", Doc: "how it misbehaves", Kind: "text", Positional: true, Required: true}}
	info := &wire.PluginInfo{Name: "bad", Doc: "Misbehaves."}
	for _, role := range []string{"client", "server", "packet-client", "packet-server", "resolver"} {
		info.Roles = append(info.Roles, &wire.RoleInfo{Role: role, Params: params})
	}
	d := &wire.Description{Plugins: []*wire.PluginInfo{info}}
	switch s.name {
	case "nothing":
		d.Plugins = nil
	case "badname":
		info.Name = "no\nname"
	case "twice":
		d.Plugins = append(d.Plugins, info)
	case "baddoc":
		info.Doc = "\x1b[2J"
	case "badkind":
		params[0].Kind = "thing"
	case "badrole":
		info.Roles[0].Role = "king"
	case "badparam":
		params[0].Name = "a:b"
	case "huge":
		info.Doc = strings.Repeat("x", 5<<20)
	case "describehang":
		select {}
	case "describecrash":
		os.Exit(5)
	}
	return d, nil
}

func (s *badServer) Attach(stream wire.Plugin_AttachServer) error {
	<-stream.Context().Done()
	return nil
}

func (s *badServer) Build(_ context.Context, r *wire.BuildRequest) (*wire.BuildReply, error) {
	how := r.Args[0].Value.GetText()
	switch how {
	case "buildcrash":
		os.Exit(4)
	case "buildlie":
		return &wire.BuildReply{Faults: []*wire.Fault{{Param: "no\x1bne", Message: "\x1b[31mred", Fix: "\x00", Also: []string{"x", ""}, Use: "\x1b"}}}, nil
	case "buildflood":
		reply := &wire.BuildReply{}
		for range 10_000 {
			reply.Faults = append(reply.Faults, &wire.Fault{Message: "no"})
		}
		return reply, nil
	case "buildhuge":
		return &wire.BuildReply{Faults: []*wire.Fault{{Message: strings.Repeat("x", 5<<20)}}}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.how[r.Endpoint] = how
	return &wire.BuildReply{}, nil
}

func (s *badServer) Do(ctx context.Context, call *wire.Call) (*wire.Result, error) {
	a := &answers{ctx: ctx}
	err := s.Trace(call, a)
	return a.result, err
}

// answers are those of a call that is not traced.
type answers struct {
	grpc.ServerStream
	ctx    context.Context
	result *wire.Result
}

func (a *answers) Context() context.Context { return a.ctx }

func (a *answers) Send(answer *wire.Answer) error {
	a.result = answer.GetResult()
	return nil
}

func (s *badServer) Trace(call *wire.Call, stream wire.Plugin_TraceServer) error {
	s.mu.Lock()
	how := s.how[call.Target]
	s.mu.Unlock()
	if call.Operation == wire.Call_OPEN && how == "acceptcrash" {
		return send(stream, &wire.Socket{Transfer: wire.Socket_KEPT, Local: &wire.Address{Network: "bad", Text: "here"}})
	}
	if call.Operation == wire.Call_ACCEPT {
		os.Exit(3)
	}
	return s.misbehave(how, call, stream)
}

func send(stream wire.Plugin_TraceServer, socket *wire.Socket) error {
	return stream.Send(&wire.Answer{Is: &wire.Answer_Result{Result: &wire.Result{Is: &wire.Result_Socket{Socket: socket}}}})
}

func say(stream wire.Plugin_TraceServer, text string) error {
	return stream.Send(&wire.Answer{Is: &wire.Answer_Result{Result: &wire.Result{Is: &wire.Result_Error{Error: &wire.Error{Message: text}}}}})
}

// pass sends descriptors over the line.
func (s *badServer) pass(id uint64, fds ...int) {
	header := make([]byte, 16)
	header[0], header[1], header[15] = 1, 1, byte(id)
	_ = unix.Sendmsg(int(s.line.Fd()), header, unix.UnixRights(fds...), nil, 0)
}

func pair(typ int) [2]int {
	fds, err := unix.Socketpair(unix.AF_UNIX, typ, 0)
	if err != nil {
		panic(err)
	}
	return fds
}

func (s *badServer) misbehave(how string, call *wire.Call, stream wire.Plugin_TraceServer) error {
	socket := &wire.Socket{Transfer: wire.Socket_SOCKET}
	relay := &wire.Socket{Transfer: wire.Socket_RELAY}
	null, _ := os.Open("/dev/null")
	switch how {
	case "crash":
		os.Exit(2)
	case "stop":
		_ = unix.Kill(os.Getpid(), unix.SIGSTOP)
		time.Sleep(time.Hour)
	case "hang":
		<-stream.Context().Done()
		return nil
	case "silent":
		return nil
	case "empty":
		return stream.Send(&wire.Answer{})
	case "noresult":
		return stream.Send(&wire.Answer{Is: &wire.Answer_Result{Result: &wire.Result{}}})
	case "wrongresult":
		return stream.Send(&wire.Answer{Is: &wire.Answer_Result{Result: &wire.Result{Is: &wire.Result_Closed{Closed: &wire.Closed{}}}}})
	case "events":
		for range 100_000 {
			event := &wire.Event{Kind: "warning", Detail: "\x1b[31m" + strings.Repeat("x", 2000), Id: 1}
			if stream.Send(&wire.Answer{Is: &wire.Answer_Event{Event: event}}) != nil {
				return nil
			}
		}
		return say(stream, "enough")
	case "kinds":
		_ = stream.Send(&wire.Answer{Is: &wire.Answer_Event{Event: &wire.Event{Kind: "built"}}})
		return say(stream, "told")
	case "addresses":
		return stream.Send(&wire.Answer{Is: &wire.Answer_Result{Result: &wire.Result{Is: &wire.Result_Addresses{
			Addresses: &wire.Addresses{Addresses: []string{"192.0.2.1", "\x1b[31m"}}}}}})
	case "hugemessage":
		return say(stream, strings.Repeat("x", 5<<20))
	case "escapes":
		return say(stream, "\x1b[31mred\u202e\x00")
	case "nodescriptor":
		return send(stream, socket)
	case "file":
		s.pass(call.Id, int(null.Fd()))
		return send(stream, socket)
	case "two":
		s.pass(call.Id, int(null.Fd()), int(null.Fd()))
		return send(stream, socket)
	case "many":
		fds := make([]int, 200)
		for i := range fds {
			fds[i] = int(null.Fd())
		}
		s.pass(call.Id, fds...)
		return send(stream, socket)
	case "again":
		s.pass(call.Id, int(null.Fd()))
		s.pass(call.Id, int(null.Fd()))
		return send(stream, socket)
	case "unasked":
		for range 1000 {
			s.pass(200, int(null.Fd()))
		}
		return say(stream, "sent")
	case "shortmessage":
		_ = unix.Sendmsg(int(s.line.Fd()), []byte{1, 1, 0}, nil, nil, 0)
		return say(stream, "sent")
	case "endless":
		fds := pair(unix.SOCK_STREAM)
		s.pass(call.Id, fds[0])
		_ = unix.Close(fds[0])
		_ = unix.Close(fds[1])
		return send(stream, relay)
	case "liar":
		s.pass(call.Id, pair(unix.SOCK_STREAM)[0])
		relay.Local = &wire.Address{Network: "tcp", Text: "1.2.3.4:5\x00\x1b"}
		return send(stream, relay)
	case "wrongtype":
		s.pass(call.Id, pair(unix.SOCK_DGRAM)[0])
		return send(stream, socket)
	case "listening":
		ln, _ := net.Listen("tcp4", "127.0.0.1:0")
		f, _ := ln.(*net.TCPListener).File()
		s.pass(call.Id, int(f.Fd()))
		return send(stream, socket)
	case "connected":
		s.pass(call.Id, pair(unix.SOCK_STREAM)[0])
		return send(stream, socket)
	case "transfer":
		return send(stream, &wire.Socket{Transfer: 77})
	case "relayfor3": // a relay that dies with the process
		fds := pair(unix.SOCK_STREAM)
		s.pass(call.Id, fds[0])
		_ = unix.Close(fds[0])
		_, _ = unix.Write(fds[1], []byte("abc"))
		return send(stream, relay)
	case "look":
		return say(stream, look())
	}
	return say(stream, "what is "+how+"?")
}
