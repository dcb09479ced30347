//go:build linux

package interop

import (
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/internal/testenv"
)

// socat over IPv4 and IPv6 on loopback, as client and as server.
func TestSocatOnLoopback(t *testing.T) {
	socat := testenv.Tool(t, "socat")
	for _, tc := range []struct{ name, server, client, socatServer, socatClient string }{
		{"IPv4", `tcp4:0:127.0.0.1`, `tcp4:127.0.0.1:%v`, "TCP4-LISTEN:%v,bind=127.0.0.1", "TCP4:127.0.0.1:%v"},
		{"IPv6", `tcp6:0:interface=[::1]`, `tcp6:host=[::1]:port=%v`, "TCP6-LISTEN:%v,bind=[::1]", "TCP6:[::1]:%v"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Run("socat dials", func(t *testing.T) {
				ln := listen(t, tc.server)
				echoOnce(ln)
				socatSays(t, exec.Command(socat, "-t", "5", "-", with(tc.socatClient, port(ln))))
			})
			t.Run("socat listens", func(t *testing.T) {
				free := listen(t, tc.server)
				number := port(free)
				free.Close()
				start(t, exec.Command(socat, with(tc.socatServer, number), "EXEC:cat"))
				pingPong(t, dialPatiently(t, with(tc.client, number)))
			})
		})
	}
}

// Two hosts on a link, which speak over link-local addresses with a zone.
func TestSocatOverLinkLocalAddresses(t *testing.T) {
	socat := testenv.Tool(t, "socat")
	ours, theirs := testenv.NewNetns(t), testenv.NewNetns(t)
	ours.Veth("ept0", theirs, "ept1")
	ours.IP("addr add fe80::a/64 dev ept0 nodad")
	theirs.IP("addr add fe80::b/64 dev ept1 nodad")

	t.Run("socat dials", func(t *testing.T) {
		var ln net.Listener
		var err error
		ours.Do(func() { ln, err = endpoint.Listen(testContext(t), `tcp6:0:interface=[fe80::a%ept0]`) })
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		// LI-15
		if addr := ln.Addr().(*net.TCPAddr); addr.Zone != "ept0" {
			t.Errorf("the listener's address is %v, without its zone", addr)
		}
		echoOnce(ln)
		socatSays(t, theirs.Command(socat, "-t", "5", "-", fmt.Sprintf("TCP6:[fe80::a%%ept1]:%d", port(ln))))
	})
	t.Run("socat listens", func(t *testing.T) {
		start(t, theirs.Command(socat, "TCP6-LISTEN:7777,bind=[fe80::b%ept1]", "EXEC:cat"))
		var c net.Conn
		ours.Do(func() { c = dialPatiently(t, `tcp6:host=[fe80::b%ept0]:port=7777:bindAddress=[fe80::a%ept0]`) })
		if c == nil {
			t.Fatal("no connection")
		}
		if addr := c.RemoteAddr().(*net.TCPAddr); addr.Zone != "ept0" {
			t.Errorf("the peer's address is %v, without its zone", addr)
		}
		pingPong(t, c)
	})
}

// socatSays sends a line through socat and wants it echoed.
func socatSays(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := start(t, cmd)
	fmt.Fprintln(in, "from socat")
	if got := readLine(t, out); got != "from socat" {
		t.Errorf("socat got %q back", got)
	}
	in.Close()
}

// dialPatiently dials until somebody listens; nil and an error of the test where nobody ever does.
func dialPatiently(t *testing.T, s string) net.Conn {
	t.Helper()
	client, err := endpoint.NewClient(s)
	if err != nil {
		t.Error(err)
		return nil
	}
	ctx := testContext(t)
	for {
		c, err := client.Dial(ctx)
		if err == nil {
			t.Cleanup(func() { c.Close() })
			return c
		}
		select {
		case <-ctx.Done():
			t.Error(err)
			return nil
		case <-time.After(20 * time.Millisecond):
		}
	}
}
