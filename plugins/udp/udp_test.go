package udp_test

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/plugins/udp"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) {
	registrytest.Run(t, udp.Plugin, registrytest.Beside(hostname.Plugin))
}

var plugins = registry.Must(registry.New(udp.Plugin))

// patience is how long a failed test waits. Python takes its time to start on a machine that is busy.
const patience = 90 * time.Second

func TestRefusals(t *testing.T) {
	const server, client = registry.RolePacketServer, registry.RolePacketClient
	for _, tc := range []struct {
		role      registry.Role
		s         string
		at, fault string
	}{
		// LI-08
		{server, "udp:53:[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]", "::ffff:192.0.2.1 is an IPv4 address in IPv6 form; write 192.0.2.1 and use IPv4"},
		{client, "udp:[::ffff:192.0.2.1]:53", "[::ffff:192.0.2.1]", "::ffff:192.0.2.1 is an IPv4 address in IPv6 form; write 192.0.2.1 and use IPv4"},
		// LI-14
		{server, "udp:53:[fe80::1]", "[fe80::1]", "fe80::1 is link-local and needs a zone, the interface: fe80::1%eth0 or fe80::1%2"},
		{server, "udp:53:[fe80::1%0]", "[fe80::1%0]", "fe80::1%0 has the zone 0, which is no interface"},
		{server, "udp:53:[2001:db8::1%lo]", "[2001:db8::1%lo]", "2001:db8::1%lo is not link-local, so a zone means nothing there"},
		{client, "udp:[fe80::1]:53", "[fe80::1]", "fe80::1 is link-local and needs a zone, the interface: fe80::1%eth0 or fe80::1%2"},
		{client, "udp:[::1]:53:[fe80::1]", "[fe80::1]", "fe80::1 is link-local and needs a zone, the interface: fe80::1%eth0 or fe80::1%2"},
		{server, "udp:5353:[ff02::fb%lo]", "[ff02::fb%lo]", "ff02::fb%lo is a multicast group: use the endpoint multicast"},
		{client, "udp:224.0.0.251:5353", "224.0.0.251", "224.0.0.251 is a multicast group: use the endpoint multicast"},
		{server, "udp:53:255.255.255.255", "255.255.255.255", "255.255.255.255 is a multicast or broadcast address"},
		{server, "udp:53:[::1]:v6only=no", "no", "only the interface :: can take IPv4 too"},
		{server, "udp:53:v6only=no", "no", "only the interface :: can take IPv4 too"},
		{server, "udp:53:tos=16:interface=[::1]", "16", "is for IPv4; the same for IPv6 is trafficClass"},
		{server, "udp:domains", "domains", `"domains" is not the name of a well-known service: give the port number`},
		{client, "udp:[::1]:53:127.0.0.1", "[::1]", "::1 and 127.0.0.1 are of different families"},
		{client, "udp:127.0.0.1:53:[::1]", "127.0.0.1", "127.0.0.1 and ::1 are of different families"},
		{client, "udp:127.0.0.1:0", "0", "0 is no port to send to"},
		{client, "udp:[::1]:53:flowLabel=1048576", "1048576", "is more than 20 bits (1048575)"},
		{client, "udp:127.0.0.1:53:flowLabel=1", "1", "is for IPv6 only"},
		{client, "udp:127.0.0.1:53:127.0.0.1:flowLabel=1", "1", "is for IPv6 only"},
		{client, "udp:127.0.0.1:53:segment=1200", "1200", "has no effect without gso=yes"},
		{client, "udp:127.0.0.1:53:gso=yes:segment=0", "0", "a datagram of 0 bytes carries nothing"},
		{client, "udp:127.0.0.1:53:gso=yes:segment=64K", "64K", "must be between 1 and 65527 bytes"},
	} {
		_, _, err := plugins.Build(tc.s, tc.role)
		faults := grammar.All(err)
		if len(faults) != 1 || faults[0].Message != tc.fault || tc.s[faults[0].Start:faults[0].End] != tc.at {
			t.Errorf("%s as a %s: %v; want %q at %s", tc.s, tc.role.Noun(), err, tc.fault, tc.at)
		}
	}
}

// All that is wrong is told, not only the first.
func TestAllFaultsAreTold(t *testing.T) {
	_, err := plugins.NewPacketClient("udp:host=127.0.0.1:port=0:bindAddress=[::1]:segment=1:rcvbuf=0")
	if faults := grammar.All(err); len(faults) != 4 {
		t.Errorf("%d faults: %v", len(faults), err)
	}
}

func listen(tb testing.TB, s string) net.PacketConn {
	tb.Helper()
	server, err := plugins.NewPacketServer(s)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := server.ListenPacket(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

func dial(tb testing.TB, s string) net.Conn {
	tb.Helper()
	client, err := plugins.NewPacketClient(s)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := client.DialPacket(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

func portOf(c net.PacketConn) string {
	return strconv.Itoa(c.LocalAddr().(*net.UDPAddr).Port)
}

func TestPlainSocketsComeBack(t *testing.T) {
	server := listen(t, "udp:port=0:interface=127.0.0.1")
	if _, ok := server.(*net.UDPConn); !ok {
		t.Errorf("ListenPacket gives a %T", server)
	}
	client := dial(t, "udp:host=127.0.0.1:port="+portOf(server))
	if _, ok := client.(*net.UDPConn); !ok {
		t.Errorf("DialPacket gives a %T", client)
	}
	if client.RemoteAddr().String() != server.LocalAddr().String() {
		t.Errorf("connected to %v", client.RemoteAddr())
	}
}

func TestTheFamilyIsThatOfTheInterface(t *testing.T) {
	for s, want := range map[string]string{
		"udp:0":                  "0.0.0.0",
		"udp:0:[::]":             "::",
		"udp:0:127.0.0.1":        "127.0.0.1",
		"udp:0:[::1]":            "::1",
		"udp:port=0:v6only=yes":  "0.0.0.0",
		"udp:0:[::]:flowInfo=no": "::",
	} {
		if got := listen(t, s).LocalAddr().(*net.UDPAddr).IP.String(); got != want {
			t.Errorf("%s: bound to %s", s, got)
		}
	}
}

// LI-07
func TestIPv4AndIPv6HaveOnePortSideBySide(t *testing.T) {
	six := listen(t, "udp:0:[::]")
	four := listen(t, "udp:"+portOf(six))
	speak(t, dial(t, "udp:[::1]:"+portOf(six)), six, "::1")
	speak(t, dial(t, "udp:127.0.0.1:"+portOf(six)), four, "127.0.0.1")
}

func TestADualStackTakesBothFamilies(t *testing.T) {
	server := listen(t, "udp:0:[::]:v6only=no")
	speak(t, dial(t, "udp:[::1]:"+portOf(server)), server, "::1")
	speak(t, dial(t, "udp:127.0.0.1:"+portOf(server)), server, "127.0.0.1")
}

// speak sends a word from client to server and one back, and checks whom the server hears.
func speak(t *testing.T, client net.Conn, server net.PacketConn, sender string) {
	t.Helper()
	buf := make([]byte, 100)
	if _, err := client.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	n, from, err := server.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "question" {
		t.Fatalf("server read %q, %v", buf[:n], err)
	}
	addr := netip.MustParseAddrPort(from.String()).Addr()
	if addr.Unmap().String() != sender || from.Network() != "udp" {
		t.Errorf("server heard %s of the network %s, want %s", from, from.Network(), sender)
	}
	if _, err := server.WriteTo([]byte("answer"), from); err != nil {
		t.Fatal(err)
	}
	n, err = client.Read(buf)
	if err != nil || string(buf[:n]) != "answer" {
		t.Fatalf("client read %q, %v", buf[:n], err)
	}
}
