package udpsock_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/udpsock"
	"golang.org/x/sys/unix"
)

// thiefEnv makes the test binary try to bind the address that it holds and tell how that went.
const thiefEnv = "UDPSOCK_TEST_THIEF"

// TestThief is the second process of the test below.
func TestThief(t *testing.T) {
	address := os.Getenv(thiefEnv)
	if address == "" {
		t.Skip("is no test of its own")
	}
	fmt.Printf("bind: %v\n", steal(netip.MustParseAddrPort(address)))
}

// steal binds address with SO_REUSEADDR, by which a later and more specific socket gets the datagrams of an earlier one
// that has it too.
func steal(address netip.AddrPort) error {
	family, sa := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(address.Port())})
	if address.Addr().Is4() {
		sa.(*unix.SockaddrInet4).Addr = address.Addr().As4()
	} else {
		family, sa = unix.AF_INET6, &unix.SockaddrInet6{Port: int(address.Port()), Addr: address.Addr().As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	return unix.Bind(fd, sa)
}

// LI-09, finding 10
func TestNobodyCanTakeTheDatagrams(t *testing.T) {
	needIPv6(t)
	for _, tt := range []struct{ server, thief string }{
		{"0.0.0.0:0", "127.0.0.1"},
		{"0.0.0.0:0", "0.0.0.0"},
		{"127.0.0.1:0", "127.0.0.1"},
		{"[::]:0", "::1"},
		{"[::1]:0", "::1"},
	} {
		server := listen(t, listenSpec(tt.server))
		target := netip.AddrPortFrom(netip.MustParseAddr(tt.thief), portOf(server))
		if err := steal(target); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s beside %s, same process: %v", target, tt.server, err)
		}
		thief := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestThief$")
		thief.Env = append(os.Environ(), thiefEnv+"="+target.String())
		out, err := thief.Output()
		if err != nil || !strings.Contains(string(out), "bind: address already in use") {
			t.Errorf("%s beside %s, another process: %v, %s", target, tt.server, err, out)
		}
		ask := tt.thief
		if ask == "0.0.0.0" {
			ask = "127.0.0.1"
		}
		speak(t, dial(t, dialSpec(), netip.AddrPortFrom(netip.MustParseAddr(ask), portOf(server))), server)
	}
}

// LI-09: sharing is only for those who say so, and both have to.
func TestAPortIsSharedOnlyWhereBothSayReusePort(t *testing.T) {
	s := listenSpec("127.0.0.1:0")
	s.Options.ReusePort = true
	first := listen(t, s)
	s.Addr = addrOf(first)
	listen(t, s)
	s.Options.ReusePort = false
	if _, err := udpsock.NewListener(s).Listen(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("without reusePort: %v", err)
	}
}

// LI-07, LI-09: whatever the system's default is.
func TestOptionsOfTheSocketsAreAsPromised(t *testing.T) {
	needIPv6(t)
	dual := listenSpec("[::]:0")
	dual.DualStack = true
	for name, tt := range map[string]struct {
		c      *net.UDPConn
		v6only int
	}{
		"server":     {listen(t, listenSpec("[::]:0")), 1},
		"dual stack": {listen(t, dual), 0},
		"client":     {dial(t, dialSpec(), netip.MustParseAddrPort("[::1]:9")), 1},
	} {
		for _, option := range []struct{ level, code, want int }{
			{unix.SOL_IPV6, unix.IPV6_V6ONLY, tt.v6only},
			{unix.SOL_SOCKET, unix.SO_REUSEADDR, 0},
			{unix.SOL_SOCKET, unix.SO_REUSEPORT, 0},
		} {
			if got := getInt(t, tt.c, option.level, option.code); got != option.want {
				t.Errorf("%s: option %d of level %d is %d, want %d", name, option.code, option.level, got, option.want)
			}
		}
	}
}

func getInt(t *testing.T, c *net.UDPConn, level, code int) (value int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), level, code) })
	if err != nil {
		t.Fatal(err)
	}
	return value
}
