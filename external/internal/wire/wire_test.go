package wire

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/epctl/endpoint/registry"
)

type everything struct {
	Text    string           `ep:"text" default:"x" doc:"a"`
	Bool    bool             `ep:"bool" default:"yes" doc:"a"`
	Int     int8             `ep:"int" default:"-5" doc:"a"`
	Uint    uint32           `ep:"uint" default:"5" doc:"a"`
	Port    uint16           `ep:"port,port" default:"80" doc:"a"`
	Time    time.Duration    `ep:"time" default:"1.5s" doc:"a"`
	Size    int              `ep:"size,size" default:"64K" doc:"a"`
	Mode    fs.FileMode      `ep:"mode" default:"660" doc:"a"`
	Addr    netip.Addr       `ep:"addr" default:"fe80::1%eth0" doc:"a"`
	Prefix  netip.Prefix     `ep:"prefix" default:"192.0.2.0/24" doc:"a"`
	List    []uint16         `ep:"list" default:"1,2" doc:"a"`
	Missing *int             `ep:"missing" doc:"a"`
	Free    map[string]int64 `ep:"free" doc:"a"`
}

// What a plugin in another process builds from is what it builds from here.
func TestArgumentsAreTheSameOnTheOtherSide(t *testing.T) {
	var got, want everything
	into := func(to *everything) registry.Factory[registry.Client] {
		return registry.For(func(o everything) (registry.Client, error) {
			*to = o
			return fake{}, nil
		})
	}
	here := registry.Plugin{Name: "here", Doc: "D.", Client: into(&want)}
	there := registry.Plugin{Name: "there", Doc: "D.", Client: into(&got)}
	info := &RoleInfo{Role: "client", Params: RolesOf(here)[0].Params}
	if err := (&Description{Plugins: []*PluginInfo{{Name: "here", Doc: "D.", Roles: []*RoleInfo{info}}}}).Check(); err != nil {
		t.Fatal(err)
	}
	across := registry.Plugin{Name: "across", Doc: "D.", Client: sending{info.Declared(), there}}
	r := registry.Must(registry.New(here, across))
	for _, rest := range []string{
		"", ":text=[a=b\u00e4]:bool=no:int=-128:uint=4294967295:port=https:time=250ms:size=1G:mode=0",
		":addr=[::1]:prefix=[2001:db8::/32]:list=:missing=7:k=1:l=-9223372036854775808", ":list=65535",
	} {
		if _, err := r.NewClient("here" + rest); err != nil {
			t.Fatal(err)
		}
		if _, err := r.NewClient("across" + rest); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", rest, got, want)
		}
	}
}

// sending builds a plugin with arguments that went over the wire.
type sending struct {
	params []registry.Param
	plugin registry.Plugin
}

func (s sending) Params() []registry.Param { return s.params }

func (s sending) Build(args registry.Args) (registry.Client, error) {
	sent, err := Encoder{}.Args(args)
	if err != nil {
		return nil, err
	}
	request := &BuildRequest{Args: sent}
	b, err := proto.Marshal(request)
	if err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(b, request); err != nil {
		return nil, err
	}
	args, err = Decoder{}.Args(s.plugin.Params(registry.RoleClient), request.Args)
	if err != nil {
		return nil, err
	}
	e, err := s.plugin.Build(registry.RoleClient, args)
	if err != nil {
		return nil, err
	}
	return e.(registry.Client), nil
}

type fake struct{}

func (fake) Dial(context.Context) (net.Conn, error) { return nil, errors.New("fake") }

func TestErrorsAreTheSameOnTheOtherSide(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}
	for _, err := range []error{
		errors.New("plain"),
		&net.OpError{Op: "dial", Net: "tcp", Addr: addr, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		&net.OpError{Op: "listen", Net: "tcp", Source: addr, Err: syscall.EADDRINUSE},
		&net.OpError{Op: "read", Net: "udp", Err: os.ErrDeadlineExceeded},
		&net.DNSError{Err: "no such host", Name: "x.invalid", IsNotFound: true},
		&net.DNSError{Err: "server misbehaving", Name: "x.invalid", IsTemporary: true},
		net.ErrClosed, context.Canceled, context.DeadlineExceeded,
	} {
		got := ErrorOf(err).Err()
		if got.Error() != err.Error() {
			t.Errorf("%q became %q", err, got)
		}
		for _, target := range []error{syscall.ECONNREFUSED, syscall.EADDRINUSE, net.ErrClosed, context.Canceled} {
			if errors.Is(got, target) != errors.Is(err, target) {
				t.Errorf("%q: is it %q? %v", err, target, errors.Is(got, target))
			}
		}
		var a, b net.Error
		if errors.As(err, &a) && (!errors.As(got, &b) || a.Timeout() != b.Timeout()) {
			t.Errorf("%q: is it a timeout? %v", err, a.Timeout())
		}
		var dns, sent *net.DNSError
		if errors.As(err, &dns) && (!errors.As(got, &sent) || sent.IsNotFound != dns.IsNotFound || sent.Name != dns.Name) {
			t.Errorf("%q became %#v", err, sent)
		}
	}
}

// PL-12
func FuzzText(f *testing.F) {
	f.Add("plain", "tcp", "[fe80::1%eth0]:80")
	f.Add("\x1b[31m\u202e\x00", "udp", "\xff")
	f.Fuzz(func(t *testing.T, text, network, addr string) {
		const most = 100
		got := Clean(text, most)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unprintable) || len(got) > 10*most+3 {
			t.Errorf("%q became %q", text, got)
		}
		a, err := (&Address{Network: network, Text: addr}).Addr()
		for _, shown := range []string{errorText(err), addrText(a)} {
			if strings.ContainsFunc(shown, unprintable) {
				t.Errorf("%q of %q is shown as %q", addr, network, shown)
			}
		}
	})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func addrText(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.Network() + a.String()
}
