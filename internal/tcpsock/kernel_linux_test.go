package tcpsock_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/internal/testenv"
)

func TestTheBacklogReachesTheKernel(t *testing.T) {
	ss := testenv.Tool(t, "ss")
	ns := testenv.NewNetns(t)
	for _, mptcp := range []bool{false, true} {
		s := listenSpec("127.0.0.1:0")
		s.Backlog, s.Options.MPTCP = 7, mptcp
		do(t, ns, func() error {
			ln, err := tcpsock.NewListener(s).Listen(t.Context())
			if err != nil {
				return err
			}
			defer func() { _ = ln.Close() }()
			if got := setting(ln, "backlog"); got != "7" {
				t.Errorf("TCP_INFO says %s", got)
			}
			out, err := ns.Command(ss, "-Hltn", fmt.Sprintf("sport = %d", port(ln))).Output()
			if fields := strings.Fields(string(out)); err != nil || len(fields) < 3 || fields[2] != "7" {
				t.Errorf("ss says %q, %v", out, err)
			}
			return nil
		})
	}
}

func TestABacklogOfZeroIsPackageNets(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	s := listenSpec("127.0.0.1:0")
	s.Backlog = 0
	if got, want := setting(listen(t, s), "backlog"), setting(ln.(*net.TCPListener), "backlog"); got != want {
		t.Errorf("backlog is %s, want %s", got, want)
	}
}

func TestMultipathIsOffUnlessAsked(t *testing.T) {
	s := listenSpec("127.0.0.1:0")
	if got := setting(listen(t, s), "mptcp"); got != "no" {
		t.Errorf("mptcp is %s", got)
	}
	c, err := tcpsock.NewDialer(dialSpec()).Dial(t.Context(), listen(t, s).Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if got := setting(c, "mptcp"); got != "no" {
		t.Errorf("mptcp is %s", got)
	}
}

// The peer's link-layer address is nobody's, so that nothing ever answers.
func TestADialThatHangsEndsWithItsTimeOrItsContext(t *testing.T) {
	p := newPair(t)
	p.here.IP("neigh add fe80::dead lladdr 02:00:00:00:00:01 dev here")
	remote := addr("[fe80::dead%here]:9")
	for _, label := range []uint32{0, 1} {
		s := dialSpec()
		s.FlowLabel = label
		do(t, p.here, func() error {
			s.Timeout = 50 * time.Millisecond
			begun := time.Now()
			_, err := tcpsock.NewDialer(s).Dial(t.Context(), remote)
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() || err.Error() != "dial tcp6 "+remote.String()+": i/o timeout" {
				t.Errorf("timeout: %v", err)
			}
			if d := time.Since(begun); d < s.Timeout {
				t.Errorf("the dial ended after %v already", d)
			}
			return nil
		})
		do(t, p.here, func() error {
			s.Timeout = patience
			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(20*time.Millisecond, cancel)
			defer timer.Stop()
			_, err := tcpsock.NewDialer(s).Dial(ctx, remote)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
			return nil
		})
	}
}

func TestALocalAddressHasPortsEnoughForManyPeers(t *testing.T) {
	ns := testenv.NewNetns(t)
	if out, err := ns.Command("sysctl", "-qw", "net.ipv4.ip_local_port_range=50000 50000").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ns.IP("addr add 2001:db8::1/64 dev lo nodad")
	for _, label := range []uint32{0, 1} {
		s := dialSpec()
		s.LocalAddr, s.FlowLabel = netip.MustParseAddr("::1"), label
		d := tcpsock.NewDialer(s)
		do(t, ns, func() error {
			for _, address := range []string{"[::1]:40000", "[2001:db8::1]:40000"} {
				ln, err := tcpsock.NewListener(listenSpec(address)).Listen(t.Context())
				if err != nil {
					return err
				}
				defer func() { _ = ln.Close() }()
				c, err := d.Dial(t.Context(), addr(address))
				if err != nil {
					return err
				}
				_ = c.SetLinger(0) // no TIME_WAIT for the second round
				defer func() { _ = c.Close() }()
				if got := c.LocalAddr().String(); got != "[::1]:50000" {
					t.Errorf("local address is %s", got)
				}
			}
			_, err := d.Dial(t.Context(), addr("[::1]:40000"))
			if !errors.Is(err, syscall.EADDRNOTAVAIL) {
				t.Errorf("without a port left: %v", err)
			}
			return nil
		})
	}
}

func TestAFlowLabelThatCantBeHadFailsTheDial(t *testing.T) {
	ns := testenv.NewNetns(t)
	if out, err := ns.Command("sysctl", "-qw", "net.ipv6.flowlabel_state_ranges=1").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := dialSpec()
	s.FlowLabel, s.LocalAddr = 0x80000, netip.MustParseAddr("::1")
	do(t, ns, func() error {
		_, err := tcpsock.NewDialer(s).Dial(t.Context(), addr("[::1]:9"))
		if !errors.Is(err, syscall.ERANGE) || !strings.HasPrefix(err.Error(), "dial tcp6 [::1]:0->[::1]:9: lease of flow label 0x80000: ") {
			t.Errorf("err = %v", err)
		}
		return nil
	})
}
