package main

import (
	"net"
	"strings"
	"testing"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/registry"
)

func TestTheClientOfAServer(t *testing.T) {
	r := extra(endpoint.Default)
	tcp := func(address string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	udp := func(address string) net.Addr { return net.UDPAddrFromAddrPort(tcp(address).(*net.TCPAddr).AddrPort()) }
	linkLocal := &net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 25, Zone: "eth0"}
	for _, test := range []struct {
		server string
		role   registry.Role
		addr   net.Addr
		want   string
	}{
		{"tcp4:0", "server", tcp("192.0.2.1:25"), "tcp4:host=192.0.2.1:port=25"},
		{"tcp4:0", "server", tcp("0.0.0.0:25"), "tcp4:host=127.0.0.1:port=25"},
		{"tcp6:0", "server", tcp("[::]:25"), "tcp6:host=[::1]:port=25"},
		{"tcp6:25:interface=[fe80::1%eth0]", "server", linkLocal, "tcp6:host=[fe80::1%eth0]:port=25"},
		{"tcp4:0:mptcp=yes:backlog=3:nodelay=no", "server", tcp("192.0.2.1:25"), ""}, // a server has no nodelay
		{"tcp4:0:rcvbuf=64K:backlog=3", "server", tcp("192.0.2.1:25"), "tcp4:host=192.0.2.1:port=25:rcvbuf=64K"},
		{"twin", "server", tcp("[2001:db8::1]:25"), "tcp:host=[2001:db8::1]:port=25"},
		{"gram:0", "packet-server", udp("127.0.0.1:53"), "gram:host=127.0.0.1:port=53"},
		{"local:/run/x", "server", &net.UnixAddr{Name: "/run/a:b", Net: "unix"}, "local:path=[/run/a:b]"},
		{"gate:{tcp4:0:rcvbuf=1K}:pass\\:word:lenient", "server", tcp("192.0.2.1:25"),
			"gate:endpoint={tcp4:host=192.0.2.1:port=25:rcvbuf=1K}:password=[pass:word]:mode=lenient"},
		{`gate:gate\:tcp4\\\:0\:one:two`, "server", tcp("192.0.2.1:25"), ""},
		{`gate:endpoint=gate\:{tcp4\:0}\:one:password=two`, "server", tcp("192.0.2.1:25"),
			"gate:endpoint={gate:endpoint={tcp4:host=192.0.2.1:port=25}:password=one}:password=two"},
		{"gate:{twin}:secret-word", "server", tcp("192.0.2.1:25"), "gate:endpoint={tcp:host=192.0.2.1:port=25}:password=secret-word"},
		{"gate:password=two:tcp4:0", "server", tcp("192.0.2.1:25"), "gate:endpoint={tcp4:host=192.0.2.1:port=25}:password=two"},
	} {
		_, layer, err := r.Build(test.server, test.role)
		if err != nil {
			if test.want != "" {
				t.Errorf("%s: %v", test.server, err)
			}
			continue
		}
		got, err := newDeriver(r, test.server, test.addr).client(layer)
		if err != nil || got != test.want {
			t.Errorf("%s on %v: %q, %v", test.server, test.addr, got, err)
		}
	}
}

func TestNoClientOfAServer(t *testing.T) {
	r := extra(endpoint.Default)
	for _, test := range []struct {
		server string
		role   registry.Role
		addr   net.Addr
		want   string
	}{
		{"twin", "server", &net.UnixAddr{Name: "/run/x", Net: "unix"}, "no stream client connects to a server of twin on /run/x"},
		{"tcp4:0", "server", &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 80}, ""},
		{"gate:{twin}:secret-word", "server", &net.UnixAddr{Name: "/run/x", Net: "unix"}, "the stream client that matches gate could not be made out"},
	} {
		_, layer, err := r.Build(test.server, test.role)
		if err != nil {
			t.Fatal(err)
		}
		_, err = newDeriver(r, test.server, test.addr).client(layer)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s on %v: %v", test.server, test.addr, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s on %v: %v", test.server, test.addr, err)
		case err != nil && strings.Contains(err.Error(), "secret-word"): // PA-08
			t.Errorf("%s on %v tells a secret: %v", test.server, test.addr, err)
		}
	}
}
