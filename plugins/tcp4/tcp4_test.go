package tcp4_test

import (
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/plugins/tcp4"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) { registrytest.Run(t, tcp4.Plugin) }

func TestRefusals(t *testing.T) {
	plugins := registry.Must(registry.New(tcp4.Plugin))
	for _, tc := range []struct {
		role      registry.Role
		s         string
		at, fault string
	}{
		{registry.RoleClient, "tcp4:[::1]:80", "[::1]", "::1 is an IPv6 address; this endpoint is IPv4 only"},
		{registry.RoleClient, "tcp4:192.0.2.1:80:bindAddress=[::1]", "[::1]", "::1 is an IPv6 address; this endpoint is IPv4 only"},
		{registry.RoleClient, "tcp4:255.255.255.255:80", "255.255.255.255", "255.255.255.255 is a multicast or broadcast address"},
		{registry.RoleClient, "tcp4:010.0.0.1:80", "010.0.0.1", `"010.0.0.1" is not an IP address`},
		{registry.RoleServer, "tcp4:80:interface=[::]", "[::]", ":: is an IPv6 address; this endpoint is IPv4 only"},
		{registry.RoleServer, "tcp4:80:trafficClass=8", "8", "is for IPv6; the same for IPv4 is tos"},
	} {
		_, _, err := plugins.Build(tc.s, tc.role)
		faults := grammar.All(err)
		if len(faults) != 1 || faults[0].Message != tc.fault || tc.s[faults[0].Start:faults[0].End] != tc.at {
			t.Errorf("%s as a %s: %v; want %q at %s", tc.s, tc.role.Noun(), err, tc.fault, tc.at)
		}
	}
}
