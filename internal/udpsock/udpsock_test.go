package udpsock_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/internal/udpsock"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a failed test waits.
const patience = 20 * time.Second

func needIPv6(t *testing.T) {
	t.Helper()
	c, err := net.ListenPacket("udp6", "[::1]:0")
	testenv.Need(t, err == nil, "IPv6 on the loopback interface")
	_ = c.Close()
}

func dialSpec() udpsock.DialSpec { return udpsock.DialSpec{Layer: "test"} }

func listenSpec(address string) udpsock.ListenSpec {
	return udpsock.ListenSpec{Layer: "test", Addr: netip.MustParseAddrPort(address)}
}

func listen(t *testing.T, s udpsock.ListenSpec) *net.UDPConn {
	t.Helper()
	c, err := udpsock.NewListener(s).Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ready(t, c)
}

func dial(t *testing.T, s udpsock.DialSpec, remote netip.AddrPort) *net.UDPConn {
	t.Helper()
	c, err := udpsock.NewDialer(s).Dial(t.Context(), remote)
	if err != nil {
		t.Fatal(err)
	}
	return ready(t, c)
}

func ready(t *testing.T, c *net.UDPConn) *net.UDPConn {
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

func addrOf(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func portOf(c *net.UDPConn) uint16 { return addrOf(c).Port() }

// speak sends a word from the connected socket c to server and one back to whom it came from, and returns the sender as
// the server sees it.
func speak(t *testing.T, c, server *net.UDPConn) netip.AddrPort {
	t.Helper()
	buf := make([]byte, 100)
	if _, err := c.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	n, from, err := server.ReadFromUDPAddrPort(buf)
	if err != nil || string(buf[:n]) != "question" {
		t.Fatalf("server read %q, %v", buf[:n], err)
	}
	if _, err := server.WriteToUDPAddrPort([]byte("answer"), from); err != nil {
		t.Fatal(err)
	}
	n, err = c.Read(buf)
	if err != nil || string(buf[:n]) != "answer" {
		t.Fatalf("client read %q, %v", buf[:n], err)
	}
	return from
}
