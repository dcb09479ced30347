package multicast_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/multicast"
	"github.com/epctl/endpoint/plugins/udp"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) {
	testenv.Need(t, runtime.GOOS == "linux", "Linux")
	const server = "multicast:port=0:group=239.255.1.1:interface=127.0.0.1"
	registrytest.Run(t, multicast.Plugin,
		registrytest.Beside(udp.Plugin),
		registrytest.Live(server),
		registrytest.ClientFor(func(server string, addr net.Addr) string {
			return strings.Replace(server, "port=0", fmt.Sprintf("port=%d", addr.(*net.UDPAddr).Port), 1)
		}))
}

func TestRefusals(t *testing.T) {
	testenv.Need(t, runtime.GOOS == "linux", "Linux")
	registry, server, client := registry.Must(registry.New(multicast.Plugin, udp.Plugin)), registry.RolePacketServer, registry.RolePacketClient
	for _, tc := range []struct {
		s, at, message, fix string
	}{
		{"5353:192.0.2.1", "multicast", "192.0.2.1 is no group", "udp"},
		{"5353:[2001:db8::1]", "multicast", "2001:db8::1 is no group", "udp"},
		{"5353:[::ffff:224.0.0.251]", "[::ffff:224.0.0.251]", "is an IPv4 address in IPv6 form", "224.0.0.251"},
		{"5353:[ff02::fb%eth0]", "[ff02::fb%eth0]", "has a zone", "[ff02::fb]"},
		{"5353:[ff10::1]", "[ff10::1]", "reserved scope 0", ""},
		{"5353:group=", "", "is empty", ""},
		{"5353:group=[ff02::fb]:interface=", "", "is empty", ""},
		{"5353:group=[ff02::fb]:interface=[fe80::1]", "[fe80::1]", "needs a zone", ""}, // LI-14
		{"5353:group=[ff02::fb]:interface=[2001:db8::1%eth0]", "[2001:db8::1%eth0]", "is not link-local", "[2001:db8::1]"},
		{"5353:group=[ff02::fb]:interface=192.0.2.1", "192.0.2.1", "is of another family than the group ff02::fb", ""},
		{"5353:group=224.0.0.251:interface=[fe80::1%eth0]", "[fe80::1%eth0]", "is of another family", ""},
		{"5353:group=224.0.0.251:interface=[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]", "in IPv6 form", "192.0.2.1"},
		{"5353:group=224.0.0.251:interface=0.0.0.0", "0.0.0.0", "all are written *", "*"},
		{"5353:group=[ff02::fb]:interface=[::]", "[::]", "all are written *", "*"},
		{"5353:group=[ff02::fb]:interface=[ff02::fb]", "[ff02::fb]", "is a group", ""},
		{"5353:group=[ff02::fb]:interface=[*,eth0]", "[*,eth0]", "there can be no other", "*"},
		{"5353:group=[ff02::fb]:interface=[eth0,eth1,eth0]", "[eth0,eth1,eth0]", "eth0 is there twice", "eth0,eth1"},
		{"5353:group=[ff02::fb]:interface=[eth0,a/b]", "a/b", "neither a name", ""},
		{"5353:group=[ff01::1]:interface=*", "*", "is interface-local", "lo"},
		{"5353:group=[ff01::1]:interface=[2001:db8::1]", "[2001:db8::1]", "is interface-local", "lo"},
		{"5353:group=[ff01::1]:outInterface=[2001:db8::1]", "[2001:db8::1]", "is interface-local", "lo"},
		{"5353:group=224.0.0.251:outInterface=*", "*", "leaves by one interface", ""},
		{"5353:group=224.0.0.251:outInterface=[eth0,eth1]", "[eth0,eth1]", "neither a name", ""},
		{"5353:group=224.0.0.251:outInterface=[2001:db8::1]", "[2001:db8::1]", "is of another family", ""},
		{"5353:group=224.0.0.251:hops=256", "256", "is above 255", ""}, // MC-04
		{"5353:group=224.0.0.251:trafficClass=1", "1", "is for IPv6", ""},
		{"5353:group=239.1.1.1:source=192.0.2.1", "192.0.2.1", "239.1.1.1 is a group of any sender", ""},
		{"5353:group=[ff05::1]:source=[2001:db8::1]", "[2001:db8::1]", "ff05::1 is a group of any sender", ""},
		{"5353:group=232.1.1.1:source=[2001:db8::1]", "[2001:db8::1]", "is of another family than the group 232.1.1.1", ""},
		{"5353:group=232.1.1.1:source=232.1.1.2", "232.1.1.2", "is not the address of one sender", ""},
		{"5353:group=232.1.1.1:source=0.0.0.0", "0.0.0.0", "is not the address of one sender", ""},
		{"5353:group=[ff3e::1]:source=[fe80::1%eth0]", "[fe80::1%eth0]", "has a zone", ""},
		{"5353:group=[ff3e::1]:source=[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]", "in IPv6 form", ""},
		{"5353:group=232.1.1.1:source=", "", "is empty", ""},
	} {
		wantFault(t, registry, "multicast:"+tc.s, server, tc.at, tc.message, tc.fix)
		wantFault(t, registry, "multicast:"+tc.s, client, tc.at, tc.message, tc.fix)
	}
	for _, tc := range []struct {
		s, at, message, fix string
	}{
		{"5353:[224.0.0.251,ff02::fb,224.0.0.252]", "[224.0.0.251,ff02::fb,224.0.0.252]", "different families", "224.0.0.251,224.0.0.252"},
		{"5353:[ff02::fb,ff02::fb]", "[ff02::fb,ff02::fb]", "is there twice", "[ff02::fb]"},
		{"5353:232.1.1.1", "232.1.1.1", "is a source-specific group", ""},
		{"5353:[ff3e::1]", "[ff3e::1]", "is a source-specific group", ""},
		{"5353:group=[232.1.1.1,239.1.1.1]:source=192.0.2.1", "192.0.2.1", "239.1.1.1 is a group of any sender", ""},
		{"5353:group=232.1.1.1:source=[192.0.2.1,192.0.2.1]", "[192.0.2.1,192.0.2.1]", "is there twice", "192.0.2.1"},
	} {
		wantFault(t, registry, "multicast:"+tc.s, server, tc.at, tc.message, tc.fix)
	}
	wantFault(t, registry, "multicast:0:224.0.0.251", client, "0", "0 is no port to send to", "")
	wantFault(t, registry, "multicast:9:[224.0.0.251,224.0.0.252]", client, "[224.0.0.251,224.0.0.252]", "a client sends to one group", "224.0.0.251")
	wantFault(t, registry, "multicast:9:232.1.1.1:source=[192.0.2.1,192.0.2.2]", client, "[192.0.2.1,192.0.2.2]", "a client sends from one address", "192.0.2.1")
}

func wantFault(t *testing.T, r *registry.Registry, s string, role registry.Role, at, message, fix string) {
	t.Helper()
	_, _, err := r.Build(s, role)
	faults := grammar.All(err)
	if len(faults) != 1 || !strings.Contains(faults[0].Message, message) || s[faults[0].Start:faults[0].End] != at || faults[0].Fix != fix {
		t.Errorf("%s as a %s: %v; want one with %q at %q", s, role.Noun(), err, message, at)
		return
	}
	if fix == "" || fix == "udp" {
		return
	}
	mended := s[:faults[0].Start] + fix + s[faults[0].End:]
	if _, _, err := r.Build(mended, role); err != nil {
		t.Errorf("%s is no better than %s: %v", mended, s, err)
	}
}

// All faults are told at once.
func TestAllFaultsAreTold(t *testing.T) {
	testenv.Need(t, runtime.GOOS == "linux", "Linux")
	_, err := plugins.NewPacketServer("multicast:5353:[239.1.1.1,232.1.1.1]:interface=[::1,a,a]:source=[::1]:outInterface=*")
	if n := len(grammar.All(err)); n != 5 {
		t.Errorf("%d faults: %v", n, err)
	}
}

func TestSourceSpecificGroupNeedsNoSourceToSendTo(t *testing.T) {
	testenv.Need(t, runtime.GOOS == "linux", "Linux")
	if _, err := plugins.NewPacketClient("multicast:9:232.1.1.1:eth0"); err != nil {
		t.Error(err)
	}
}

func TestPositionalOrder(t *testing.T) {
	for role, want := range map[registry.Role][]string{
		registry.RolePacketServer: {"port", "group", "interface", "source", "outInterface", "hops", "loop", "reuse", "unicast"},
		registry.RolePacketClient: {"port", "group", "interface", "source", "outInterface", "hops", "loop"},
	} {
		var names []string
		for _, p := range multicast.Plugin.Params(role) {
			if p.Positional {
				names = append(names, p.Name)
			}
		}
		if !slices.Equal(names, want) {
			t.Errorf("a %s takes %v, want %v", role.Noun(), names, want)
		}
	}
}

// On systems that do not tell the group of a datagram, the endpoint is refused when it is built.
func TestOtherSystemsRefuse(t *testing.T) {
	if runtime.GOOS == "linux" {
		for _, role := range multicast.Plugin.Roles() {
			for _, p := range multicast.Plugin.Params(role) {
				if p.Name == "group" && (!p.Required || !slices.Equal(p.OS, []string{"linux"})) {
					t.Errorf("a %s has the group %+v", role.Noun(), p)
				}
			}
		}
		return
	}
	if _, err := plugins.NewPacketServer("multicast:5353:224.0.0.251"); err == nil {
		t.Error("not refused")
	}
}

var plugins = registry.Must(registry.New(multicast.Plugin))

func loopback(t *testing.T, s string) *multicast.Conn {
	t.Helper()
	testenv.Need(t, runtime.GOOS == "linux", "Linux")
	server, err := plugins.NewPacketServer(s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := server.ListenPacket(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*multicast.Conn)
}

func TestEmptyAndTruncatedDatagrams(t *testing.T) {
	c := loopback(t, "multicast:0:239.255.1.1:lo")
	to := &net.UDPAddr{IP: net.IPv4(239, 255, 1, 1), Port: c.LocalAddr().(*net.UDPAddr).Port}
	for _, text := range []string{"", "too long", "short"} {
		if _, err := c.WriteTo([]byte(text), to); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 5)
	for _, want := range []struct {
		text string
		err  error
	}{{"", nil}, {"too l", multicast.ErrTruncated}, {"short", nil}} {
		n, from, err := c.ReadFrom(buf)
		if string(buf[:n]) != want.text || !errors.Is(err, want.err) || err != nil && want.err == nil || from == nil {
			t.Errorf("read %q from %v, %v; want %q, %v", buf[:n], from, err, want.text, want.err)
		}
	}
}

func TestServerHasNoPeer(t *testing.T) {
	c := loopback(t, "multicast:0:239.255.1.1:lo")
	if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EDESTADDRREQ) || c.RemoteAddr() != nil {
		t.Errorf("write to %v: %v", c.RemoteAddr(), err)
	}
	if _, err := c.WriteTo([]byte("x"), &net.IPAddr{}); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("write to no UDP address: %v", err)
	}
	if _, ok := c.NetConn().(*net.UDPConn); !ok {
		t.Errorf("NetConn is a %T", c.NetConn())
	}
	if raw, err := c.SyscallConn(); raw == nil || err != nil {
		t.Errorf("SyscallConn: %v", err)
	}
	if err := errors.Join(c.SetReadBuffer(1<<16), c.SetWriteBuffer(1<<16)); err != nil {
		t.Error(err)
	}
}

func TestClosedConn(t *testing.T) {
	c := loopback(t, "multicast:0:239.255.1.1:lo")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"JoinGroup": c.JoinGroup(netip.MustParseAddr("239.255.1.2"), "lo"), "LeaveGroup": c.LeaveGroup(netip.MustParseAddr("239.255.1.1"), "lo"),
		"SetOutgoingInterface": c.SetOutgoingInterface("lo"), "SetHops": c.SetHops(1), "SetLoopback": c.SetLoopback(true),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := c.ReadFrom(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("ReadFrom: %v", err)
	}
}

// Building asks the system for nothing.
func TestBuildingOpensNothing(t *testing.T) {
	testenv.Need(t, runtime.GOOS == "linux", "Linux")
	before, _ := os.ReadDir("/proc/self/fd")
	if _, err := plugins.NewPacketServer("multicast:5353:239.1.2.3:nosuch"); err != nil {
		t.Error(err)
	}
	if after, _ := os.ReadDir("/proc/self/fd"); len(after) != len(before) {
		t.Errorf("%d descriptors, were %d", len(after), len(before))
	}
}
