package hostname_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

func TestPacketRefusals(t *testing.T) {
	plugins := registry.Must(registry.New(hostname.Plugin))
	for _, tc := range []struct{ s, at, fault string }{
		{"hostname:a..b:53", "a..b", `"a..b" has an empty part between two dots`},
		{"hostname:host.example:0", "0", "0 is no port to send to"},
		{"hostname:192.0.2.1:0", "0", "0 is no port to send to"},
		{"hostname:[127.0.0.1]:53:deny=loopback", "[127.0.0.1]", "denied by deny=loopback"},
		{"hostname:[::1]:53:family=4", "[::1]", "::1 is an IPv6 address; this endpoint is IPv4 only"},
		{"hostname:224.0.0.251:53", "224.0.0.251", "224.0.0.251 is a multicast or broadcast address"},
		{"hostname:[fe80::1]:53", "[fe80::1]", "fe80::1 is link-local and needs a zone, the interface: fe80::1%eth0 or fe80::1%2"},
		{"hostname:[::1]:53:bindAddress=127.0.0.1", "[::1]", "::1 and 127.0.0.1 are of different families"},
		{"hostname:host.example:53:bindAddress=[127.0.0.1,127.0.0.2]", "[127.0.0.1,127.0.0.2]", "127.0.0.1 and 127.0.0.2 are of one family: one of each may be given"},
		{"hostname:host.example:53:bindAddress=[fe80::1]", "[fe80::1]", "fe80::1 is link-local and needs a zone, the interface: fe80::1%eth0 or fe80::1%2"},
		{"hostname:host.example:53:bindAddress=[127.0.0.1]:family=6", "[127.0.0.1]", "no address of the only family that is used is given"},
		{"hostname:host.example:53:bindAddress=[127.0.0.1]:trafficClass=8", "8", "is for IPv6; the same for IPv4 is tos"},
		{"hostname:host.example:53:rcvbuf=0:bindAddress=[127.0.0.1,::1]", "0", "must be between 1 byte and 1 GiB"},
		{"hostname:host.example:53:attemptDelay=1", "attemptDelay", `hostname has no parameter "attemptDelay"; `},
		{"hostname:host.example:53:memory=no", "memory", `hostname has no parameter "memory"; `},
	} {
		_, err := plugins.NewPacketClient(tc.s)
		faults := grammar.All(err)
		if len(faults) != 1 || !strings.HasPrefix(faults[0].Message, tc.fault) || tc.s[faults[0].Start:faults[0].End] != tc.at {
			t.Errorf("%s: %v; want %q at %s", tc.s, err, tc.fault, tc.at)
		}
	}
	if _, err := plugins.NewPacketClient("hostname:host.example:53:bindAddress=[127.0.0.1,::1]:tos=8"); err != nil {
		t.Errorf("an option for one of two families: %v", err)
	}
}

// The socket is package net's, connected to the host's address; a datagram goes there and one comes back.
func TestDatagramsByName(t *testing.T) {
	for _, tc := range []struct{ server, options, from string }{
		{"127.0.0.1:0", "", "127.0.0.1"},
		{"[::1]:0", "", "::1"},
		{"[::1]:0", ":bindAddress=[::1]", "::1"},
		{"127.0.0.1:0", ":deny=linklocal:sndbuf=20000", "127.0.0.1"},
	} {
		server, port := echo(t, tc.server)
		n := new(names)
		n.say("host.example", hostOf(server))
		for _, host := range []string{"host.example", hostOf(server)} {
			s := "hostname:host=[" + host + "]:port=" + port + tc.options + ":resolver={names}"
			conn := dialPacket(t, n, s)
			if _, ok := conn.(*net.UDPConn); !ok || conn.RemoteAddr().String() != server.String() {
				t.Errorf("%s: %T to %v", s, conn, conn.RemoteAddr())
			}
			if local := hostOf(conn.LocalAddr()); local != tc.from {
				t.Errorf("%s: from %s", s, local)
			}
			if _, err := conn.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 10)
			if n, err := conn.Read(buf); err != nil || string(buf[:n]) != "hello" {
				t.Errorf("%s: read %q, %v", s, buf[:n], err)
			}
		}
	}
}

// echo sends back what it gets.
func echo(t *testing.T, address string) (net.Addr, string) {
	server, err := net.ListenPacket("udp", address)
	testenv.Need(t, err == nil, "a loopback address for "+address)
	t.Cleanup(func() { _ = server.Close() })
	go sendBack(server)
	return server.LocalAddr(), strconv.Itoa(server.LocalAddr().(*net.UDPAddr).Port)
}

func sendBack(c net.PacketConn) {
	buf := make([]byte, 100)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		_, _ = c.WriteTo(buf[:n], from)
	}
}

func hostOf(a net.Addr) string {
	host, _, _ := net.SplitHostPort(a.String())
	return host
}

func dialPacket(t *testing.T, n *names, s string) net.Conn {
	t.Helper()
	client, err := n.registry().NewPacketClient(s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := client.DialPacket(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// HE-15: the rule is asked about the address that the name has, as for streams.
func TestDatagramsToDeniedAddresses(t *testing.T) {
	n := new(names)
	n.say("host.example", "127.0.0.1", "::1")
	client, err := n.registry().NewPacketClient("hostname:host.example:53:deny=private:resolver={names}")
	if err != nil {
		t.Fatal(err)
	}
	var attempts int
	ctx := trace.With(t.Context(), func(e trace.Event) {
		if e.Kind == trace.AttemptDone && e.Err == nil {
			attempts++
		}
	})
	if conn, err := client.DialPacket(ctx); !isDenied(err) || attempts != 0 {
		t.Errorf("%v, %v after %d attempts", conn, err, attempts)
	}
}

func TestDatagramsToNobody(t *testing.T) {
	client, err := new(names).registry().NewPacketClient("hostname:host.example:53:resolver={names}")
	if err != nil {
		t.Fatal(err)
	}
	var dns *net.DNSError
	if _, err := client.DialPacket(t.Context()); !errors.As(err, &dns) || !dns.IsNotFound {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.DialPacket(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
