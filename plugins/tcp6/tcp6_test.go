package tcp6_test

import (
	"context"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/plugins/tcp4"
	"github.com/epctl/endpoint/plugins/tcp6"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) {
	registrytest.Run(t, tcp6.Plugin, registrytest.Beside(hostname.Plugin))
}

var plugins = registry.Must(registry.New(tcp6.Plugin, tcp4.Plugin))

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		role      registry.Role
		s         string
		at, fault string
	}{
		// LI-08
		{registry.RoleServer, "tcp6:80:interface=[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]", "::ffff:192.0.2.1 is an IPv4 address in IPv6 form; write 192.0.2.1 and use IPv4"},
		{registry.RoleClient, "tcp6:[::ffff:192.0.2.1]:80", "[::ffff:192.0.2.1]", "::ffff:192.0.2.1 is an IPv4 address in IPv6 form; write 192.0.2.1 and use IPv4"},
		// LI-14
		{registry.RoleServer, "tcp6:80:interface=[fe80::1]", "[fe80::1]", "fe80::1 is link-local and needs a zone, the interface: fe80::1%eth0 or fe80::1%2"},
		{registry.RoleServer, "tcp6:80:interface=[fe80::1%0]", "[fe80::1%0]", "fe80::1%0 has the zone 0, which is no interface"},
		{registry.RoleServer, "tcp6:80:interface=[2001:db8::1%lo]", "[2001:db8::1%lo]", "2001:db8::1%lo is not link-local, so a zone means nothing there"},
		{registry.RoleServer, "tcp6:80:interface=[ff02::1%lo]", "[ff02::1%lo]", "ff02::1%lo is a multicast or broadcast address"},
		{registry.RoleServer, "tcp6:80:interface=127.0.0.1", "127.0.0.1", "127.0.0.1 is an IPv4 address; this endpoint is IPv6 only"},
		{registry.RoleServer, "tcp6:80:interface=[::1]:v6only=no", "no", "only the interface :: can take IPv4 too"},
		{registry.RoleServer, "tcp6:80:backlog=-1", "-1", "can't be negative"},
		{registry.RoleClient, "tcp6:[::1]:80:bindAddress=127.0.0.1", "127.0.0.1", "127.0.0.1 is an IPv4 address; this endpoint is IPv6 only"},
		{registry.RoleClient, "tcp6:[::1]:80:flowLabel=1048576", "1048576", "is more than 20 bits (1048575)"},
		{registry.RoleClient, "tcp6:[::1]:80:tos=16", "16", "is for IPv4; the same for IPv6 is trafficClass"},
	} {
		_, _, err := plugins.Build(tc.s, tc.role)
		faults := grammar.All(err)
		if len(faults) != 1 || faults[0].Message != tc.fault || tc.s[faults[0].Start:faults[0].End] != tc.at {
			t.Errorf("%s as a %s: %v; want %q at %s", tc.s, tc.role.Noun(), err, tc.fault, tc.at)
		}
	}
}

// LI-07
func TestIPv4AndIPv6ListenOnOnePortSideBySide(t *testing.T) {
	six := listen(t, "tcp6:port=0")
	port := strconv.Itoa(six.Addr().(*net.TCPAddr).Port)
	four := listen(t, "tcp4:port="+port)
	if got := dialAndAccept(t, "tcp6:[::1]:"+port, six); got != "::1" {
		t.Errorf("the IPv6 listener got a connection from %s", got)
	}
	if got := dialAndAccept(t, "tcp4:127.0.0.1:"+port, four); got != "127.0.0.1" {
		t.Errorf("the IPv4 listener got a connection from %s", got)
	}
}

func TestDualStackTakesBothFamilies(t *testing.T) {
	ln := listen(t, "tcp6:port=0:v6only=no")
	port := strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	for _, client := range []string{"tcp6:[::1]:" + port, "tcp4:127.0.0.1:" + port} {
		dialAndAccept(t, client, ln)
	}
}

func TestPlainSocketsComeBack(t *testing.T) {
	ln := listen(t, "tcp6:port=0:interface=[::1]")
	if _, ok := ln.(*net.TCPListener); !ok {
		t.Errorf("Listen gives a %T", ln)
	}
	client, err := plugins.NewClient("tcp6:[::1]:" + strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, ok := c.(*net.TCPConn); !ok {
		t.Errorf("Dial gives a %T", c)
	}
}

// The order of values without a key is Twisted's.
func TestPositionalOrder(t *testing.T) {
	for role, want := range map[registry.Role][]string{
		registry.RoleServer: {"port", "backlog", "interface"},
		registry.RoleClient: {"host", "port", "timeout", "bindAddress"},
	} {
		var names []string
		for _, p := range tcp6.Plugin.Params(role) {
			names = append(names, p.Name)
		}
		if !slices.Equal(names[:len(want)], want) {
			t.Errorf("a %s takes %v first, want %v", role.Noun(), names, want)
		}
	}
}

func listen(t *testing.T, s string) net.Listener {
	t.Helper()
	server, err := plugins.NewServer(s)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := server.Listen(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	_ = ln.(*net.TCPListener).SetDeadline(time.Now().Add(30 * time.Second))
	return ln
}

// dialAndAccept connects to ln and returns the peer's address as ln sees it, IPv4 as such.
func dialAndAccept(t *testing.T, s string, ln net.Listener) string {
	t.Helper()
	client, err := plugins.NewClient(s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	return accepted.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap().String()
}
