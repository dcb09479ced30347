package hostname_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

// Addresses of the server. What is alive greets whoever connects to port 443 with one byte, and sends datagrams to that
// port back.
const (
	live4, live6     = "192.0.2.2", "2001:db8:1::2"
	other4, other6   = "198.51.100.2", "2001:db8:2::2" // alive too, behind the client's second interface
	closed4, closed6 = "192.0.2.3", "2001:db8:1::3"
	silent4, silent6 = "192.0.2.4", "2001:db8:1::4" // accepts and says nothing
)

// Addresses of the client, on its interfaces c and c2.
const (
	client4, client6 = "192.0.2.1", "2001:db8:1::1"
	second4, second6 = "198.51.100.1", "2001:db8:2::1"
)

// A dead address: whoever connects to it learns why at once or, where the cause is nil, hears nothing.
type dead struct {
	kind, ipv4, ipv6 string
	cause            error
	late             error  // what is heard in the end, after seconds
	filter           string // what the server does with a packet to it, in the words of nft; or
	route            string // what the client's routing table says of it, in the words of ip
}

var graveyard = []dead{
	{kind: "nobody listens", ipv4: closed4, ipv6: closed6, cause: syscall.ECONNREFUSED},
	{kind: "dropped", ipv4: "192.0.2.5", ipv6: "2001:db8:1::5", filter: "drop"},
	{kind: "reset", ipv4: "192.0.2.6", ipv6: "2001:db8:1::6", cause: syscall.ECONNREFUSED, filter: "reject with tcp reset"},
	{kind: "port unreachable", ipv4: "192.0.2.7", ipv6: "2001:db8:1::7", cause: syscall.ECONNREFUSED, filter: "reject with icmpx port-unreachable"},
	{kind: "host unreachable", ipv4: "192.0.2.8", ipv6: "2001:db8:1::8", cause: syscall.EHOSTUNREACH, filter: "reject with icmpx host-unreachable"},
	{kind: "no route further on", ipv4: "192.0.2.9", ipv6: "2001:db8:1::9", cause: syscall.ENETUNREACH, filter: "reject with icmpx no-route"},
	{kind: "no neighbour", ipv4: "192.0.2.99", ipv6: "2001:db8:1::99", late: syscall.EHOSTUNREACH},
	{kind: "unreachable", ipv4: "203.0.113.1", ipv6: "2001:db8:3::1", cause: syscall.EHOSTUNREACH, route: "unreachable"},
	{kind: "blackhole", ipv4: "203.0.113.2", ipv6: "2001:db8:3::2", cause: syscall.EINVAL, route: "blackhole"},
	{kind: "prohibited", ipv4: "203.0.113.3", ipv6: "2001:db8:3::3", cause: syscall.EACCES, route: "prohibit"},
	{kind: "no route", ipv4: "203.0.113.4", ipv6: "2001:db8:3::4", cause: syscall.ENETUNREACH},
}

const inLabVariable = "ENDPOINT_TEST_IN_LAB"

// inLab runs f in the client's namespace: this test once more, by a process that is there, because a client connects in
// goroutines of its own.
func inLab(t *testing.T, f func(t *testing.T)) {
	if os.Getenv(inLabVariable) != "" {
		f(t)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := lab(t).Command(self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), inLabVariable+"=yes")
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name()+" ")) {
		t.Errorf("in the namespace: %v\n%s", err, out)
	}
}

// lab makes a client's and a server's namespace, joined by two cables.
func lab(t *testing.T) (client *testenv.Netns) {
	client, server := testenv.NewNetns(t), testenv.NewNetns(t)
	testenv.Tool(t, "nft")
	client.Veth("c", server, "s")
	client.Veth("c2", server, "s2")
	address(client, "c", client4, client6)
	address(client, "c2", second4, second6)
	address(server, "s2", other4, other6)
	address(server, "s", live4, live6, silent4, silent6)
	for _, d := range graveyard {
		switch {
		case d.route != "":
			client.IP("route add " + d.route + " " + d.ipv4)
			client.IP("-6 route add " + d.route + " " + d.ipv6)
		case d.filter != "" || d.kind == "nobody listens":
			address(server, "s", d.ipv4, d.ipv6)
		}
	}
	bury(t, server)
	for _, a := range []string{live4, live6, other4, other6} {
		serve(t, server, a, "!")
		reflect(t, server, a)
	}
	serve(t, server, silent4, "")
	serve(t, server, silent6, "")
	return client
}

func address(ns *testenv.Netns, device string, addrs ...string) {
	for _, a := range addrs {
		if strings.Contains(a, ":") {
			ns.IP("addr add " + a + "/64 dev " + device + " nodad")
		} else {
			ns.IP("addr add " + a + "/24 dev " + device)
		}
	}
}

// bury sets the filters of the server. A limit on ICMP errors would make some of them come late.
func bury(t *testing.T, server *testenv.Netns) {
	var rules strings.Builder
	rules.WriteString("table inet lab {\nchain input {\ntype filter hook input priority 0\n")
	for _, d := range graveyard {
		if d.filter != "" {
			fmt.Fprintf(&rules, "ip daddr %s meta l4proto tcp %s\nip6 daddr %s meta l4proto tcp %s\n", d.ipv4, d.filter, d.ipv6, d.filter)
		}
	}
	rules.WriteString("}\n}\n")
	nft := server.Command("nft", "-f", "-")
	nft.Stdin = strings.NewReader(rules.String())
	run(t, nft.CombinedOutput)
	run(t, server.Command("sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0").CombinedOutput)
}

func run(t *testing.T, command func() ([]byte, error)) {
	t.Helper()
	if out, err := command(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// serve accepts at addr, sends greeting and keeps the connections open.
func serve(t *testing.T, ns *testenv.Netns, addr, greeting string) {
	var l net.Listener
	var err error
	ns.Do(func() { l, err = net.Listen("tcp", net.JoinHostPort(addr, "443")) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			_, _ = conn.Write([]byte(greeting))
		}
	}()
}

// reflect sends datagrams to addr back.
func reflect(t *testing.T, ns *testenv.Netns, addr string) {
	var c net.PacketConn
	var err error
	ns.Do(func() { c, err = net.ListenPacket("udp", net.JoinHostPort(addr, "443")) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go sendBack(c)
}

// A record is what a dial told through its trace.
type record struct {
	mu     sync.Mutex
	events []trace.Event
}

func (r *record) add(e trace.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// of returns a text for each event of the given kind, in order.
func (r *record) of(kind trace.Kind, text func(trace.Event) string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, e := range r.events {
		if e.Kind == kind {
			out = append(out, text(e))
		}
	}
	return out
}

func remoteOf(e trace.Event) string  { return hostOf(e.Remote) }
func networkOf(e trace.Event) string { return e.Network }
func detailOf(e trace.Event) string  { return e.Detail }

// dialed is what came of a dial: the ends of the connection, which has been closed, or an error.
type dialed struct {
	local, remote string
	err           error
	record
}

// dial dials host.example once, with further options. On however slow a machine the answers come before an attempt, so
// that the order is known.
func (n *names) dial(t *testing.T, options string) *dialed {
	t.Helper()
	return dialBy(t, n.client(t, options))
}

func (n *names) client(t *testing.T, options string) registry.Client {
	t.Helper()
	client, err := n.registry().NewClient("hostname:host.example:443:resolutionDelay=60:resolver={names}" + options)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func dialBy(t *testing.T, client registry.Client) *dialed {
	d := new(dialed)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := client.Dial(trace.With(ctx, d.add))
	if err != nil {
		d.err = err
		return d
	}
	defer func() { _ = conn.Close() }()
	d.local, d.remote = hostOf(conn.LocalAddr()), hostOf(conn.RemoteAddr())
	return d
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
