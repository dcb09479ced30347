package tcpsock_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/internal/testenv"
)

// A pair is two namespaces joined by the interfaces here and there.
type pair struct {
	here, there         *testenv.Netns
	hereAddr, thereAddr netip.Addr // link-local, without a zone
}

func newPair(t *testing.T) pair {
	t.Helper()
	p := pair{here: testenv.NewNetns(t), there: testenv.NewNetns(t)}
	p.here.Veth("here", p.there, "there")
	p.hereAddr, p.thereAddr = linkLocal(t, p.here, "here"), linkLocal(t, p.there, "there")
	return p
}

// linkLocal gives dev a link-local address of its own, usable at once, and returns it.
func linkLocal(t *testing.T, ns *testenv.Netns, dev string) netip.Addr {
	t.Helper()
	address := map[string]string{"here": "fe80::aaaa", "there": "fe80::bbbb", "7": "fe80::7777"}[dev]
	ns.IP("addr add " + address + "/64 dev " + dev + " nodad")
	return netip.MustParseAddr(address)
}

// do runs f in the namespace and reports its error.
func do(t *testing.T, ns *testenv.Netns, f func() error) {
	t.Helper()
	var err error
	ns.Do(func() { err = f() })
	if err != nil {
		t.Error(err)
	}
}

func index(ns *testenv.Netns, dev string) string {
	number, _, _ := strings.Cut(ns.IP("-o link show dev "+dev), ":")
	return number
}

// LI-14, LI-15
func TestTheZoneIsInTheAddressesAsItWasGiven(t *testing.T) {
	p := newPair(t)
	for _, mptcp := range []bool{false, true} {
		for zoneHere, zoneThere := range map[string]string{"here": "there", index(p.here, "here"): index(p.there, "there")} {
			s := listenSpec("[" + p.thereAddr.WithZone(zoneThere).String() + "]:0")
			s.Options.MPTCP = mptcp
			var ln *net.TCPListener
			do(t, p.there, func() (err error) {
				ln, err = tcpsock.NewListener(s).Listen(t.Context())
				return err
			})
			if ln == nil {
				return
			}
			_ = ln.SetDeadline(time.Now().Add(patience))
			remote := netip.AddrPortFrom(p.thereAddr.WithZone(zoneHere), port(ln))
			if want := netip.AddrPortFrom(p.thereAddr.WithZone(zoneThere), port(ln)); ln.Addr().String() != want.String() {
				t.Errorf("mptcp %v: listener's Addr is %v, want %v", mptcp, ln.Addr(), want)
			}
			do(t, p.here, func() error { return dialZoned(t, p, remote, ln) })
			// The Addr of a listener can be dialed from its own machine.
			do(t, p.there, func() error {
				c, err := tcpsock.NewDialer(dialSpec()).Dial(t.Context(), ln.Addr().(*net.TCPAddr).AddrPort())
				if err == nil {
					err = c.Close()
				}
				return err
			})
			_ = ln.Close()
		}
	}
}

// dialZoned connects to remote with and without a local address, and checks both ends of the connection.
func dialZoned(t *testing.T, p pair, remote netip.AddrPort, ln net.Listener) error {
	for _, local := range []netip.Addr{{}, p.hereAddr.WithZone(remote.Addr().Zone())} {
		for _, label := range []uint32{0, 0x1234} {
			s := dialSpec()
			s.LocalAddr, s.FlowLabel = local, label
			c, err := tcpsock.NewDialer(s).Dial(t.Context(), remote)
			if err != nil {
				return err
			}
			speak(t, c, ln)
			from := c.LocalAddr().(*net.TCPAddr).AddrPort().Addr()
			if c.RemoteAddr().String() != remote.String() || from.Zone() != remote.Addr().Zone() || local.IsValid() && from != local {
				t.Errorf("connection from %v to %v, want from %v to %v", from, c.RemoteAddr(), local, remote)
			}
			_ = c.Close()
		}
	}
	return nil
}

// LI-14
func TestZonesThatAreWrong(t *testing.T) {
	p := newPair(t)
	local := p.hereAddr.String()
	tests := []struct {
		address string
		is      error
	}{
		{"[" + local + "]:0", syscall.EINVAL},
		{"[" + local + "%lo]:0", syscall.EADDRNOTAVAIL},
		{"[" + local + "%1]:0", syscall.EADDRNOTAVAIL},
	}
	for _, tt := range tests {
		do(t, p.here, func() error {
			ln, err := tcpsock.NewListener(listenSpec(tt.address)).Listen(t.Context())
			if err == nil {
				_ = ln.Close()
			}
			if want := "listen tcp6 " + tt.address + ": bind: " + tt.is.Error(); !errors.Is(err, tt.is) || err.Error() != want {
				return fmt.Errorf("%s: %v\nwant %s", tt.address, err, want)
			}
			return nil
		})
	}
	remote := netip.AddrPortFrom(p.thereAddr.WithZone("here"), 9)
	do(t, p.here, func() error {
		_, err := tcpsock.NewDialer(dialSpec()).Dial(t.Context(), remote)
		if want := "dial tcp6 " + remote.String() + ": connect: connection refused"; err == nil || err.Error() != want {
			return fmt.Errorf("dial: %v\nwant %s", err, want)
		}
		return nil
	})
}

// Package net remembers for up to a minute which index an interface had.
func TestAnInterfaceThatWasMadeAnewIsFoundAtOnce(t *testing.T) {
	p := newPair(t)
	spec := listenSpec("[" + p.hereAddr.String() + "%here]:0")
	listener, dialer := tcpsock.NewListener(spec), tcpsock.NewDialer(dialSpec())
	for round := range 2 {
		do(t, p.here, func() error {
			ln, err := listener.Listen(t.Context())
			if err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
			defer func() { _ = ln.Close() }()
			// This makes package net look all interfaces up, so that the next round would find the old index.
			if c, err := net.DialTimeout("tcp6", ln.Addr().String(), patience); err == nil {
				_ = c.Close()
			} else {
				t.Logf("round %d: package net alone: %v", round, err)
			}
			c, err := dialer.Dial(t.Context(), ln.Addr().(*net.TCPAddr).AddrPort())
			if err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
			return c.Close()
		})
		p.here.IP("link del here")
		p.here.Veth("here", p.there, "there")
		linkLocal(t, p.here, "here")
	}
}

// A name of digits is a name before it is an index, and an index is not taken for a name (RFC 4007 section 11.2).
func TestAnInterfaceMayHaveANumberAsItsName(t *testing.T) {
	p := newPair(t)
	other := testenv.NewNetns(t)
	// There are now lo (1), here (2) and 7, whose index is 3; 3 in turn is the name of the index 4.
	p.here.Veth("7", other, "seven")
	p.here.IP("link add 3 type bridge")
	seven := linkLocal(t, p.here, "7")
	if got := index(p.here, "7"); got != "3" {
		t.Fatalf("interface 7 has the index %s", got)
	}
	do(t, p.here, func() error {
		ln, err := tcpsock.NewListener(listenSpec("[" + seven.String() + "%7]:0")).Listen(t.Context())
		if err != nil {
			return err
		}
		defer func() { _ = ln.Close() }()
		if ln.Addr().(*net.TCPAddr).Zone != "7" {
			t.Errorf("Addr is %v", ln.Addr())
		}
		return nil
	})
}

func TestSocatOverLinkLocal(t *testing.T) {
	socat := testenv.Tool(t, "socat")
	p := newPair(t)
	t.Run("socat dials", func(t *testing.T) {
		var ln *net.TCPListener
		do(t, p.here, func() (err error) {
			ln, err = tcpsock.NewListener(listenSpec("[" + p.hereAddr.String() + "%here]:0")).Listen(t.Context())
			return err
		})
		if ln == nil {
			return
		}
		defer func() { _ = ln.Close() }()
		_ = ln.SetDeadline(time.Now().Add(patience))
		cmd := p.there.Command(socat, "-t", "10", "-", fmt.Sprintf("TCP6:[%s%%there]:%d", p.hereAddr, port(ln)))
		cmd.Stdin = strings.NewReader("from socat")
		finish := start(t, cmd)
		c, err := ln.Accept()
		if err != nil {
			t.Error(err)
		} else {
			converse(t, c, "from socat", "to socat")
		}
		if out := finish(); out != "to socat" {
			t.Errorf("socat read %q", out)
		}
	})
	t.Run("socat listens", func(t *testing.T) {
		const listening = 40001
		cmd := p.there.Command(socat, "-t", "10", fmt.Sprintf("TCP6-LISTEN:%d,bind=[%s%%there]", listening, p.thereAddr), "-")
		cmd.Stdin = strings.NewReader("from socat")
		finish := start(t, cmd)
		waitForListener(t, p.there, listening)
		do(t, p.here, func() error {
			c, err := tcpsock.NewDialer(dialSpec()).Dial(t.Context(), netip.AddrPortFrom(p.thereAddr.WithZone("here"), listening))
			if err == nil {
				converse(t, c, "from socat", "to socat")
			}
			return err
		})
		if out := finish(); out != "to socat" {
			t.Errorf("socat read %q", out)
		}
	})
}

// start starts cmd; finish waits for its end and returns what it wrote.
func start(t *testing.T, cmd *exec.Cmd) (finish func() string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	return func() string {
		defer timer.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v: %s", cmd.Args, err, errs.String())
		}
		return out.String()
	}
}

// converse writes answer, closes for writing, and expects greeting up to the end.
func converse(t *testing.T, c net.Conn, greeting, answer string) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte(answer)); err != nil {
		t.Error(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(c); err != nil || string(got) != greeting {
		t.Errorf("read %q, %v", got, err)
	}
}

// waitForListener asks ss until somebody listens, for as long as patience.
func waitForListener(t *testing.T, ns *testenv.Netns, port int) {
	t.Helper()
	testenv.Tool(t, "ss")
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		out, err := ns.Command("ss", "-Hltn", fmt.Sprintf("sport = %d", port)).Output()
		if err != nil || len(out) > 0 {
			return
		}
	}
	t.Errorf("nobody listens on port %d", port)
}
