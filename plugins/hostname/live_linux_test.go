package hostname_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

// The tests share one lab: to make it takes seconds.
func TestInTheLab(t *testing.T) {
	inLab(t, func(t *testing.T) {
		t.Run("DeadAddresses", deadAddresses)
		t.Run("SilenceLosesTheHandshake", silenceLosesTheHandshake)
		t.Run("BindAddressOfEachFamily", bindAddressOfEachFamily)
		t.Run("AFamilyIsLeftOut", aFamilyIsLeftOut)
		t.Run("BindInterface", bindInterface)
		t.Run("DenyWhenTheNameFlips", denyWhenTheNameFlips)
		t.Run("DatagramsGoWhereThereIsARoute", datagramsGoWhereThereIsARoute)
	})
}

// HE-06, HE-11: a dead address of either family does not keep the other one from being reached, and if that is dead as
// well the error tells of both.
func deadAddresses(t *testing.T) {
	for _, d := range graveyard {
		t.Run(d.kind, func(t *testing.T) {
			d.check(t, d.ipv6, live4, closed4, ":family=prefer6")
			d.check(t, d.ipv4, live6, closed6, ":family=prefer4")
		})
	}
}

func (d dead) check(t *testing.T, addr, alive, closed, options string) {
	n := new(names)
	n.say("host.example", addr, alive)
	if got := n.dial(t, options+":attemptDelay=10ms"); got.remote != alive {
		t.Errorf("%s before %s: connected to %q, %v", addr, alive, got.remote, got.err)
	}
	n = new(names)
	n.say("host.example", addr, closed)
	if d.cause == nil {
		got := n.dial(t, options+":timeout=100ms")
		timeout := isTimeout(got.err) && errors.Is(got.err, context.DeadlineExceeded)
		if !timeout && (d.late == nil || !errors.Is(got.err, d.late)) {
			t.Errorf("%s with a limit: connected to %q, %v", addr, got.remote, got.err)
		}
		return
	}
	got := n.dial(t, options)
	if !errors.Is(got.err, d.cause) || !errors.Is(got.err, syscall.ECONNREFUSED) {
		t.Fatalf("%s and %s: connected to %q, %v", addr, closed, got.remote, got.err)
	}
	for _, line := range []string{net.JoinHostPort(addr, "443") + " (IPv", net.JoinHostPort(closed, "443") + " (IPv"} {
		if strings.Count(got.err.Error(), line) != 1 {
			t.Errorf("the error does not tell of %s once: %v", line, got.err)
		}
	}
}

// HE-08: an address that accepts and then keeps silent loses to the next one, and goes last the second time.
func silenceLosesTheHandshake(t *testing.T) {
	for _, tc := range []struct{ silent, alive, options string }{
		{silent6, live4, ":family=prefer6"},
		{silent4, live6, ":family=prefer4"},
	} {
		n := new(names)
		n.say("host.example", tc.silent, tc.alive)
		client := n.client(t, tc.options)
		var r record
		for range 2 {
			if got := greetedBy(t, client, &r); got != tc.alive {
				t.Errorf("greeted by %s", got)
			}
		}
		// The silent one counts as failed because it had a start of an attempt delay.
		want := []string{tc.silent, tc.alive, tc.alive}
		if got := r.of(trace.AttemptStart, remoteOf); !slices.Equal(got[:min(3, len(got))], want) {
			t.Errorf("attempts to %v, want %v", got, want)
		}
	}
}

// greetedBy dials with a handshake that is the server's greeting.
func greetedBy(t *testing.T, client registry.Client, r *record) string {
	ctx, cancel := context.WithTimeout(trace.With(t.Context(), r.add), patience)
	defer cancel()
	conn, err := registry.DialThrough(ctx, client, func(_ context.Context, conn net.Conn) (net.Conn, error) {
		_, err := conn.Read(make([]byte, 1))
		return conn, err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return hostOf(conn.RemoteAddr())
}

// HE-14: a local address of each family may be given, and each is used for its own.
func bindAddressOfEachFamily(t *testing.T) {
	const both = ":bindAddress=[" + client4 + "," + client6 + "]"
	for _, tc := range []struct{ host, options, remote, local string }{
		{live4, both, live4, client4},
		{live6, both, live6, client6},
		{live4 + " " + live6, both + ":family=6", live6, client6},
		{live4 + " " + live6, both + ":family=4", live4, client4},
		{closed6 + " " + live4, both, live4, client4},
		{closed4 + " " + live6, both, live6, client6},
		{live4 + " " + live6, ":bindAddress=" + client4, live4, client4},
		{live4 + " " + live6, ":bindAddress=[" + client6 + "]", live6, client6},
		// The other interface's address is ours as well.
		{live4 + " " + closed6, ":bindAddress=[" + second6 + "," + second4 + "]", live4, second4},
	} {
		n := new(names)
		n.say("host.example", strings.Fields(tc.host)...)
		if got := n.dial(t, tc.options); got.remote != tc.remote || got.local != tc.local {
			t.Errorf("%s%s: from %q to %q, %v", tc.host, tc.options, got.local, got.remote, got.err)
		}
	}
}

// HE-14: a family that has no local address is left out. It is not even asked for, and trace and error say so.
func aFamilyIsLeftOut(t *testing.T) {
	for _, tc := range []struct{ bind, alive, left, network, note string }{
		{client4, live4, live6, "ip4", "IPv6 addresses are left out: the local address " + client4 + " is IPv4"},
		{client6, live6, live4, "ip6", "IPv4 addresses are left out: the local address " + client6 + " is IPv6"},
	} {
		n := new(names)
		n.say("host.example", tc.left, tc.alive)
		got := n.dial(t, ":bindAddress=["+tc.bind+"]")
		if got.remote != tc.alive || !slices.Equal(got.of(trace.Warning, detailOf), []string{tc.note}) ||
			!slices.Equal(got.of(trace.ResolveStart, networkOf), []string{tc.network}) {
			t.Errorf("bound to %s: to %q, %v; trace %+v", tc.bind, got.remote, got.err, got.events)
		}
		n = new(names)
		n.say("host.example", tc.left)
		got = n.dial(t, ":bindAddress=["+tc.bind+"]")
		if got.err == nil || !strings.Contains(got.err.Error(), tc.note) || len(got.of(trace.AttemptStart, remoteOf)) != 0 {
			t.Errorf("bound to %s: to %q, %v", tc.bind, got.remote, got.err)
		}
	}
}

// HE-05: the interface decides the sources too, so that what can't be reached through it comes last. (That is so for IPv6:
// to IPv4 over a given interface Linux takes every address for a neighbour, see ip(7).)
func bindInterface(t *testing.T) {
	first, second := []string{client4, client6}, []string{second4, second6}
	for _, tc := range []struct {
		options, first string
		locals         []string // any of them, whichever address wins
	}{
		{":bindInterface=c", live6, first},
		{":bindInterface=c2", other6, second},
		{":bindInterface=c:family=prefer4", live4, first},
		{":bindInterface=c2:family=prefer4", live4, second},
		{":bindInterface=c2:bindAddress=" + second4, live4, second},
	} {
		n := new(names)
		n.say("host.example", live6, live4, other6, other4)
		got := n.dial(t, tc.options)
		attempts := got.of(trace.AttemptStart, remoteOf)
		if got.err != nil || attempts[0] != tc.first || !slices.Contains(tc.locals, got.local) {
			t.Errorf("%s: from %q to %q, %v; attempts %v", tc.options, got.local, got.remote, got.err, attempts)
		}
	}
	n := new(names)
	n.say("host.example", live6)
	for options, cause := range map[string]error{":bindInterface=c2": syscall.ENETUNREACH, ":bindInterface=none": syscall.ENODEV} {
		if got := n.dial(t, options); !errors.Is(got.err, cause) {
			t.Errorf("%s: to %q, %v", options, got.remote, got.err)
		}
	}
}

// HE-15: a name that was harmless may lead home the next time, or in its other family. The rule is asked about what is
// dialed, and nobody at home sees a connection.
func denyWhenTheNameFlips(t *testing.T) {
	home := listen(t, "127.0.0.1:443")
	home6 := listen(t, "[::1]:443")
	for _, rule := range []string{"loopback", "private", "[127.0.0.0/8,::1]"} {
		n := new(names)
		n.say("host.example", live4)
		n.say("host.example", "127.0.0.1", "::1")
		n.say("host.example", "127.0.0.1")
		n.say("host.example", "::ffff:127.0.0.1")
		n.say("host.example", "::1", live4)
		client := n.client(t, ":deny="+rule)
		if got := dialBy(t, client); got.remote != live4 {
			t.Errorf("deny=%s: connected to %q, %v", rule, got.remote, got.err)
		}
		for range 3 {
			if got := dialBy(t, client); !isDenied(got.err) {
				t.Errorf("deny=%s: connected to %q, %v", rule, got.remote, got.err)
			}
		}
		if got := dialBy(t, client); got.remote != live4 {
			t.Errorf("deny=%s: connected to %q, %v", rule, got.remote, got.err)
		}
	}
	home.onlyVisitor(t)
	home6.onlyVisitor(t)
}

type listener struct{ *net.TCPListener }

func listen(t *testing.T, address string) listener {
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return listener{l.(*net.TCPListener)}
}

// onlyVisitor connects, and fails the test where somebody has come before.
func (l listener) onlyVisitor(t *testing.T) {
	t.Helper()
	_ = l.SetDeadline(time.Now().Add(patience))
	mine, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mine.Close() }()
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	if first.RemoteAddr().String() != mine.LocalAddr().String() {
		t.Errorf("%v was visited by %v", l.Addr(), first.RemoteAddr())
	}
}

// A socket for datagrams goes to the first address that routes; that nobody answers there does not show.
func datagramsGoWhereThereIsARoute(t *testing.T) {
	for _, tc := range []struct{ host, options, remote, local string }{
		{live6 + " " + live4, "", live6, client6},
		{live6 + " " + live4, ":family=prefer4", live4, client4},
		{"2001:db8:3::4 " + live4, "", live4, client4},
		{"2001:db8:3::1 2001:db8:3::2 2001:db8:3::3 " + live4, "", live4, client4},
		{"203.0.113.4 " + live6, ":family=prefer4", live6, client6},
		{live6 + " " + other4, ":bindInterface=c2", other4, second4},
		{live6 + " " + live4, ":bindAddress=" + second4, live4, second4},
	} {
		n := new(names)
		n.say("host.example", strings.Fields(tc.host)...)
		conn := dialPacket(t, n, "hostname:host.example:443:resolutionDelay=60:resolver={names}"+tc.options)
		if local, remote := hostOf(conn.LocalAddr()), hostOf(conn.RemoteAddr()); remote != tc.remote || local != tc.local {
			t.Errorf("%s%s: from %s to %s", tc.host, tc.options, local, remote)
		}
		if _, err := conn.Write([]byte("?")); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Errorf("%s%s: %v", tc.host, tc.options, err)
		}
	}
}
