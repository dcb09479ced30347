package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/epctl/endpoint/registry"
)

// A fake is an endpoint of any role that keeps the options it was built from and does no I/O.
type fake struct {
	options any
	err     error // that it fails with when used
	panics  any
}

func (f *fake) use() error {
	if f.panics != nil {
		panic(f.panics)
	}
	if f.err != nil {
		return f.err
	}
	return errors.New("a fake is of no use")
}

func (f *fake) Dial(context.Context) (net.Conn, error)               { return nil, f.use() }
func (f *fake) Listen(context.Context) (net.Listener, error)         { return nil, f.use() }
func (f *fake) DialPacket(context.Context) (net.Conn, error)         { return nil, f.use() }
func (f *fake) ListenPacket(context.Context) (net.PacketConn, error) { return nil, f.use() }
func (f *fake) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, f.use()
}

// client, server and so on make a factory that keeps its options.
func client[O any]() registry.Factory[registry.Client] {
	return registry.For(func(o O) (registry.Client, error) { return &fake{options: o}, nil })
}

func server[O any]() registry.Factory[registry.Server] {
	return registry.For(func(o O) (registry.Server, error) { return &fake{options: o}, nil })
}

func packetClient[O any]() registry.Factory[registry.PacketClient] {
	return registry.For(func(o O) (registry.PacketClient, error) { return &fake{options: o}, nil })
}

func packetServer[O any]() registry.Factory[registry.PacketServer] {
	return registry.For(func(o O) (registry.PacketServer, error) { return &fake{options: o}, nil })
}

func resolver[O any]() registry.Factory[registry.Resolver] {
	return registry.For(func(o O) (registry.Resolver, error) { return &fake{options: o}, nil })
}

type (
	tcpClient struct {
		Host        string        `ep:"host,required" doc:"name or address to connect to"`
		Port        uint16        `ep:"port,required,port" doc:"port to connect to"`
		Timeout     time.Duration `ep:"timeout" default:"30" doc:"how long a dial may take"`
		BindAddress netip.Addr    `ep:"bindAddress" doc:"local address"`
	}
	tcpServer struct {
		Port      uint16     `ep:"port,required,port" doc:"port to listen on"`
		Interface netip.Addr `ep:"interface" default:"0.0.0.0" doc:"address to bind"`
		Backlog   int        `ep:"backlog" default:"50" doc:"connections that may wait"`
	}
	tcp6Client struct {
		Host      netip.Addr `ep:"host,required" doc:"address to connect to"`
		Port      uint16     `ep:"port,required,port" doc:"port to connect to"`
		FlowLabel uint32     `ep:"flowLabel" default:"0" os:"linux" doc:"flow label"`
		shared
		Socket
	}
	// shared is a part of the plugin's own, Socket one that plugins share.
	shared struct {
		Tries int8 `ep:"tries" default:"1" doc:"how often"`
	}
	Socket struct {
		NoDelay bool   `ep:"nodelay" default:"yes" doc:"send at once"`
		Mark    *uint8 `ep:"mark" os:"linux,freebsd" doc:"mark of packets"`
	}
	starttlsClient struct {
		Endpoint registry.Client `ep:"endpoint,required" doc:"what to talk over"`
		Proto    string          `ep:"proto,required" enum:"smtp,imap,pop3" doc:"protocol"`
	}
	haproxyServer struct {
		Endpoint registry.Server `ep:"endpoint,required,rest" doc:"what to listen on"`
		Trusted  []netip.Prefix  `ep:"trusted" doc:"peers that may say who the client is"`
	}
	chainClient struct {
		Endpoints []registry.Client `ep:"endpoint,required" doc:"what to try"`
		Wait      time.Duration     `ep:"wait" default:"1s" doc:"between two"`
	}
	hostnameClient struct {
		Host     string            `ep:"host,required" doc:"name to connect to"`
		Port     uint16            `ep:"port,required,port" doc:"port to connect to"`
		Resolver registry.Resolver `ep:"resolver" doc:"what looks the name up"`
	}
	staticResolver struct {
		Names map[string][]netip.Addr `ep:"names,required" doc:"addresses of each name"`
		TTL   time.Duration           `ep:"ttl" default:"1m" doc:"how long they hold"`
	}
	unixServer struct {
		Path string      `ep:"path,required" doc:"socket"`
		Mode fs.FileMode `ep:"mode" default:"666" doc:"mode of the socket"`
	}
	loginClient struct {
		Endpoint registry.Client   `ep:"endpoint" doc:"what to talk over"`
		User     string            `ep:"user" default:"nobody" doc:"who"`
		Password registry.Secret   `ep:"password" doc:"what the peer wants to hear"`
		Spare    []registry.Secret `ep:"spare" doc:"further passwords"`
	}
	vaultClient struct {
		User   string                     `ep:"user,required" doc:"who"`
		Key    registry.Secret            `ep:"key,required" doc:"key"`
		Tokens map[string]registry.Secret `ep:"tokens" doc:"token of each realm"`
	}
	everything struct {
		Text     string         `ep:"text" default:"plain" doc:"a text"`
		Bool     bool           `ep:"bool" default:"no" doc:"a bool"`
		Int      int            `ep:"int" default:"-7" doc:"an int"`
		Int8     int8           `ep:"int8" doc:"an int8"`
		Uint     uint           `ep:"uint" doc:"an uint"`
		Uint64   uint64         `ep:"uint64" doc:"an uint64"`
		Port     uint16         `ep:"port,port" doc:"a port"`
		Duration time.Duration  `ep:"duration" default:"1.5s" doc:"a duration"`
		Size     int32          `ep:"size,size" default:"64K" doc:"a size"`
		Mode     fs.FileMode    `ep:"mode" doc:"a mode"`
		Addr     netip.Addr     `ep:"addr" doc:"an address"`
		Prefix   netip.Prefix   `ep:"prefix" doc:"a prefix"`
		Enum     string         `ep:"enum" enum:"one,two,three" default:"two" doc:"an enum"`
		Level    level          `ep:"level" default:"low" doc:"what unmarshals itself"`
		Ints     []int16        `ep:"ints" doc:"a list of ints"`
		Addrs    []netip.Addr   `ep:"addrs" doc:"a list of addresses"`
		Enums    []string       `ep:"enums" enum:"one,two" doc:"a list of an enum"`
		Pointer  *int           `ep:"pointer" doc:"an int that may be missing"`
		Flag     *bool          `ep:"flag" doc:"a bool that may be missing"`
		Levels   []level        `ep:"levels" doc:"a list of what unmarshals itself"`
		Counts   map[string]int `ep:"counts" doc:"a number for each key"`
		Ignored  int            // has no tag
	}
)

// A level is a type with a text of its own.
type level int

func (l *level) UnmarshalText(text []byte) error {
	switch string(text) {
	case "low":
		*l = 1
	case "high":
		*l = 2
	default:
		return fmt.Errorf("%q is neither low nor high", text)
	}
	return nil
}

// picky refuses what its tests need refused.
func picky(o tcpServer) (registry.Server, error) {
	var faults []error
	if o.Port == 13 {
		faults = append(faults, registry.Bad("port", "brings bad luck").WithFix("14"))
	}
	if o.Port == 6 {
		faults = append(faults, registry.Bad("port", "is for another plugin").UsePlugin("tcp6"))
	}
	if o.Interface.Is6() {
		faults = append(faults, registry.Bad("interface", "is not IPv4").With("port", "backlog"))
	}
	switch o.Backlog {
	case 1:
		panic("one is too few")
	case 2:
		return nil, errors.New("two are too few")
	case 3:
		return nil, nil
	case 4:
		faults = append(faults, registry.Bad("", "is of no use"))
	case 5:
		faults = append(faults, problem{})
	}
	return &fake{options: o}, errors.Join(faults...)
}

// A problem is the error of a package that does not know this one.
type problem struct{}

func (problem) Error() string              { return "is not to be had" }
func (problem) BadParam() (string, string) { return "backlog", "port" }

// plugins are fakes with all kinds of parameters, some in the shape of real ones.
func plugins() []registry.Plugin {
	return []registry.Plugin{
		{Name: "tcp", Doc: "TCP.", Client: client[tcpClient](), Server: server[tcpServer]()},
		{Name: "tcp6", Doc: "TCP over IPv6.", Client: client[tcp6Client](), Server: server[tcpServer]()},
		{Name: "udp", Doc: "UDP.", PacketClient: packetClient[tcp6Client](), PacketServer: packetServer[tcpServer]()},
		{Name: "starttls", Doc: "TLS on the way.", Client: client[starttlsClient]()},
		{Name: "haproxy", Doc: "PROXY protocol.", Server: server[haproxyServer]()},
		{Name: "chain", Doc: "One after the other.", Client: client[chainClient]()},
		{Name: "hostname", Doc: "Names.", Client: client[hostnameClient]()},
		{Name: "static", Doc: "A table.", Resolver: resolver[staticResolver]()},
		{Name: "unix", Doc: "Local sockets.", Server: server[unixServer]()},
		{Name: "login", Doc: "A password.", Client: client[loginClient]()},
		{Name: "vault", Doc: "Keys.", Client: client[vaultClient]()},
		{Name: "all", Doc: "All kinds.", Client: client[everything]()},
		{Name: "picky", Doc: "Refuses.", Server: registry.For(picky)},
		{Name: "bare", Doc: "No parameters.", Client: client[struct{}]()},
	}
}

// fakes is the registry of the fakes, as on linux.
func fakes() *registry.Registry {
	return registry.Must(registry.New(plugins()...)).On("linux")
}

// optionsOf builds s as a client and returns its options.
func optionsOf[O any](t interface {
	Helper()
	Fatalf(string, ...any)
}, s string, role registry.Role) O {
	t.Helper()
	e, _, err := fakes().Build(s, role)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return e.(*fake).options.(O)
}

// letters is a text of n letters.
func letters(n int) string { return strings.Repeat("x", n) }
