package tcp_test

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/plugins/tcp"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) { registrytest.Run(t, tcp.Plugin) }

var plugins = registry.Must(registry.New(tcp.Plugin))

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		role      registry.Role
		s         string
		at, fault string
	}{
		{registry.RoleClient, "tcp:a..b:80", "a..b", `"a..b" has an empty part between two dots`},
		{registry.RoleClient, "tcp:127.1:80", "127.1", `"127.1" is not an IPv4 address: that is four decimal numbers`},
		{registry.RoleClient, "tcp::80", "", `"" is empty: an address or a name`},
		{registry.RoleClient, "tcp:[2001:db8::1]:80:bindAddress=192.0.2.1", "[2001:db8::1]", "2001:db8::1 and 192.0.2.1 are of different families"},
		{registry.RoleClient, "tcp:192.0.2.1:80:flowLabel=5", "5", "is for IPv6 only"},
		{registry.RoleClient, "tcp:[fe80::1]:80", "[fe80::1]", "fe80::1 is link-local and needs a zone, the interface: fe80::1%eth0 or fe80::1%2"},
		{registry.RoleServer, "tcp:80:interface=localhost", "localhost", `"localhost" is not an IP address`},
		{registry.RoleServer, "tcp:80:v6only=no", "no", "only the interface :: can take IPv4 too"},
		{registry.RoleServer, "tcp:80:interface=255.255.255.255", "255.255.255.255", "255.255.255.255 is a multicast or broadcast address"},
	} {
		_, _, err := plugins.Build(tc.s, tc.role)
		faults := grammar.All(err)
		if len(faults) != 1 || faults[0].Message != tc.fault || tc.s[faults[0].Start:faults[0].End] != tc.at {
			t.Errorf("%s as a %s: %v; want %q at %s", tc.s, tc.role.Noun(), err, tc.fault, tc.at)
		}
	}
}

// As in Twisted, the interface decides the family, and IPv4 is the default (LI-07: 0.0.0.0 is an IPv4 socket).
func TestTheInterfaceDecidesTheFamily(t *testing.T) {
	for s, want := range map[string]string{
		"tcp:0":                     "0.0.0.0",
		"tcp:0:interface=127.0.0.1": "127.0.0.1",
		"tcp:0:interface=[::1]":     "::1",
		"tcp:0:interface=[::]":      "::",
	} {
		server, err := plugins.NewServer(s)
		if err != nil {
			t.Fatal(err)
		}
		ln, err := server.Listen(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if got := ln.Addr().(*net.TCPAddr).IP.String(); got != want {
			t.Errorf("%s listens on %s, want %s", s, got, want)
		}
		ln.Close()
	}
}

// A name is tried over both families, so that it does not matter which one the server has.
func TestANameReachesAServerOfEitherFamily(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		ln, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		client, err := plugins.NewClient("tcp:localhost:" + strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		c, err := client.Dial(ctx)
		cancel()
		if err != nil {
			t.Errorf("a server on %s is not reached: %v", ln.Addr(), err)
		} else {
			c.Close()
		}
		ln.Close()
	}
}
